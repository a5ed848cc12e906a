using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace StacyVM.Engine.Configuration;

/// <summary>One YAML file, flattened into dotted keys. Keys lose their case, the keys of maps keep it.</summary>
internal sealed class ConfigurationFile
{
    // Deeper than any key; a mapping that contains itself by an alias ends here.
    private const int MaxDepth = 8;

    private readonly string _path;
    private readonly Dictionary<string, ConfigurationValue> _values = [];
    private readonly List<ConfigurationFault> _faults;

    private ConfigurationFile(string path, List<ConfigurationFault> faults) => (_path, _faults) = (path, faults);

    /// <summary>Reads the values of <paramref name="path"/>; what is wrong with the file itself is added to <paramref name="faults"/>.</summary>
    public static IReadOnlyDictionary<string, ConfigurationValue> Read(string path, List<ConfigurationFault> faults)
    {
        var file = new ConfigurationFile(path, faults);
        try
        {
            using var reader = new StreamReader(path);
            var yaml = new YamlStream();
            yaml.Load(reader);
            file.ReadRoot(yaml);
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            faults.Add(new(path, "", fault.Message, "give the path of a readable YAML file"));
        }
        catch (YamlException fault)
        {
            faults.Add(new(path, $"line {fault.Start.Line}", fault.Message, "correct the YAML"));
        }
        return file._values;
    }

    private void ReadRoot(YamlStream yaml)
    {
        if (yaml.Documents.Count > 1)
            _faults.Add(new(_path, "", "the file holds several YAML documents", "keep one"));
        else if (yaml.Documents.Count == 1 && !IsNothing(yaml.Documents[0].RootNode))
        {
            if (yaml.Documents[0].RootNode is YamlMappingNode root)
                ReadMapping(root, prefix: "", depth: 0);
            else
                _faults.Add(new(_path, "", "the file is not a map of keys", "start it with a section such as server:"));
        }
    }

    private void ReadMapping(YamlMappingNode mapping, string prefix, int depth)
    {
        foreach ((YamlNode keyNode, YamlNode node) in mapping.Children)
        {
            ConfigurationOrigin origin = ConfigurationOrigin.File(_path, keyNode.Start.Line);
            string key = prefix + (keyNode as YamlScalarNode)?.Value?.ToLowerInvariant();
            if (keyNode is not YamlScalarNode || depth == MaxDepth)
                _faults.Add(new(key, origin.Place, "this is not a key", "use plain texts as keys, nested as in the reference"));
            else if (IsNothing(node))
                continue;
            else if (node is YamlMappingNode inner && ConfigurationKeys.Find(key) is null)
                ReadMapping(inner, key + ".", depth + 1);
            else if (ValueOf(node, origin) is not { } value)
                _faults.Add(new(key, origin.Place, "the value is nested too deeply", "use a text, a list of texts or a map of texts"));
            else if (!_values.TryAdd(key, value))
                _faults.Add(new(key, origin.Place, $"the key is also set at {_values[key].Origin}", "keep one of them; upper and lower case do not tell keys apart"));
        }
    }

    private static ConfigurationValue? ValueOf(YamlNode node, ConfigurationOrigin origin) => node switch
    {
        YamlScalarNode scalar => new(origin) { Text = scalar.Value ?? "" },
        YamlSequenceNode list when list.Children.All(item => item is YamlScalarNode) =>
            new(origin) { Items = [.. list.Children.Select(TextOf)] },
        YamlMappingNode map when map.Children.All(entry => entry is { Key: YamlScalarNode, Value: YamlScalarNode }) =>
            new(origin) { Entries = map.Children.ToDictionary(entry => TextOf(entry.Key), entry => TextOf(entry.Value)) },
        _ => null,
    };

    private static string TextOf(YamlNode scalar) => ((YamlScalarNode)scalar).Value ?? "";

    /// <summary>A key without a value leaves the default, as if it were not there; an empty text in quotes is a value.</summary>
    private static bool IsNothing(YamlNode node) =>
        node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" };
}
