using System.Buffers;
using System.Globalization;
using System.Text.Json;
using StacyVM.Cli.Terminal;
using StacyVM.Protocol.Rest;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StacyVM.Cli.Templates;

/// <summary>A template in a file: YAML, of which JSON is a part, with the fields of the API.</summary>
internal static class TemplateFile
{
    // Deeper than any field; a mapping that contains itself by an alias ends here.
    private const int MaxDepth = 8;

    private static readonly string[] Fields =
    [
        "name", "version", "image", "description", "provider", "memory_mb", "vcpus", "cpu_cores", "ttl", "ttl_seconds", "setup", "init_commands", "files", "env",
        "secrets", "allowed_hosts", "metadata", "pool_size",
    ];

    /// <summary>What the server adds: a template that was read with <c>--json</c> can be saved again.</summary>
    private static readonly string[] Ignored = ["created_at", "updated_at", "notes"];

    private static readonly string[] Numbers = ["version", "memory_mb", "vcpus", "cpu_cores", "ttl_seconds", "pool_size"];

    /// <param name="path">A file, or <c>-</c> for stdin.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="UsageException">It is not a template; values are never quoted.</exception>
    public static async Task<TemplateRequest> ReadAsync(string path, CancellationToken cancellation)
    {
        string text = path == "-" ? await new StreamReader(StandardInput.Open()).ReadToEndAsync(cancellation) : await TemplateSources.TextAsync(path, cancellation);
        return Parse(text, path == "-" ? "stdin" : path);
    }

    /// <param name="text">YAML or JSON.</param>
    /// <param name="place">For messages.</param>
    public static TemplateRequest Parse(string text, string place)
    {
        try
        {
            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            if (yaml.Documents is not [{ RootNode: YamlMappingNode root }])
                throw new UsageException($"{place} is not a template: it must be one map of fields, such as name and image");
            CheckFields(root, place);
            return JsonSerializer.Deserialize(ToJson(root), RestJson.Default.TemplateRequest)!;
        }
        catch (YamlException fault)
        {
            throw new UsageException($"{place} is not YAML or JSON at line {fault.Start.Line}");
        }
        catch (JsonException fault)
        {
            throw new UsageException($"{place}: field {fault.Path?.TrimStart('$').TrimStart('.')} has the wrong type");
        }
    }

    private static void CheckFields(YamlMappingNode root, string place)
    {
        foreach (YamlNode key in root.Children.Keys)
        {
            string name = (key as YamlScalarNode)?.Value ?? "";
            if (!Fields.Contains(name) && !Ignored.Contains(name))
                throw new UsageException($"{place}: a template has no field '{name}'; it has {string.Join(", ", Fields)}");
        }
    }

    private static ReadOnlySpan<byte> ToJson(YamlMappingNode root)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            foreach ((YamlNode key, YamlNode value) in root.Children)
            {
                string name = ((YamlScalarNode)key).Value!;
                writer.WritePropertyName(name);
                if (Numbers.Contains(name) && value is YamlScalarNode scalar && int.TryParse(scalar.Value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int number))
                    writer.WriteNumberValue(number);
                else
                    Write(writer, value, 1);
            }
            writer.WriteEndObject();
        }
        return buffer.WrittenSpan;
    }

    /// <summary>Every scalar is a text, as the fields want it: <c>PORT: 8080</c> is no number there.</summary>
    private static void Write(Utf8JsonWriter writer, YamlNode node, int depth)
    {
        if (depth > MaxDepth)
            throw new JsonException("nested too deeply");
        switch (node)
        {
            case YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" }:
                writer.WriteNullValue();
                break;
            case YamlScalarNode scalar:
                writer.WriteStringValue(scalar.Value);
                break;
            case YamlSequenceNode list:
                writer.WriteStartArray();
                foreach (YamlNode item in list.Children)
                    Write(writer, item, depth + 1);
                writer.WriteEndArray();
                break;
            case YamlMappingNode map:
                writer.WriteStartObject();
                foreach ((YamlNode key, YamlNode value) in map.Children)
                {
                    writer.WritePropertyName((key as YamlScalarNode)?.Value ?? "");
                    Write(writer, value, depth + 1);
                }
                writer.WriteEndObject();
                break;
        }
    }
}
