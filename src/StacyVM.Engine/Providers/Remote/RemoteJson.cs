using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Remote;

/// <summary>JSON of a service elsewhere: what is missing or of another type is read as absent, never as an exception of the reader.</summary>
internal static class RemoteJson
{
    private static readonly JsonDocumentOptions Bounded = new() { MaxDepth = 32 };

    /// <exception cref="StacyVMException">ProviderUnavailable: it is no JSON.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> body, string who)
    {
        try
        {
            return JsonDocument.Parse(body, Bounded);
        }
        catch (JsonException e)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{who} sent an answer that is not JSON: does the address lead to it?", e);
        }
    }

    /// <summary>A JSON object as a body.</summary>
    public static HttpContent Body(Action<Utf8JsonWriter> write) => Body(Write(write), "application/json");

    public static HttpContent Body(byte[] json, string type)
    {
        var content = new ByteArrayContent(json);
        content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return content;
    }

    public static byte[] Write(Action<Utf8JsonWriter> write)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }
        return buffer.ToArray();
    }

    public static void WriteMap(this Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> map)
    {
        json.WriteStartObject(name);
        foreach ((string key, string value) in map)
            json.WriteString(key, value);
        json.WriteEndObject();
    }

    public static void WriteList(this Utf8JsonWriter json, string name, IEnumerable<string> values)
    {
        json.WriteStartArray(name);
        foreach (string value in values)
            json.WriteStringValue(value);
        json.WriteEndArray();
    }

    public static string? Text(this JsonElement element, string name) =>
        element.Member(name) is { ValueKind: JsonValueKind.String } value ? TextOf(value) : null;

    /// <summary>Null for a text that no string can hold: half a surrogate pair.</summary>
    public static string? TextOf(JsonElement value)
    {
        try
        {
            return value.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    /// <summary>A number, also one that is written as a text.</summary>
    public static long? Number(this JsonElement element, string name) => element.Member(name) switch
    {
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt64(out long number) => number,
        { ValueKind: JsonValueKind.String } value when long.TryParse(TextOf(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) => number,
        _ => null,
    };

    public static bool Flag(this JsonElement element, string name) => element.Member(name) is { ValueKind: JsonValueKind.True };

    public static JsonElement? Member(this JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out JsonElement value) ? value : null;

    public static IEnumerable<JsonElement> Items(this JsonElement element) =>
        element.ValueKind == JsonValueKind.Array ? element.EnumerateArray() : Enumerable.Empty<JsonElement>();

    /// <summary>Unix seconds of an RFC 3339 moment; 0 when it is none.</summary>
    public static long Moment(this JsonElement element, string name) =>
        DateTimeOffset.TryParse(element.Text(name), CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out DateTimeOffset moment) ? moment.ToUnixTimeSeconds() : 0;

    /// <summary>What an error document says: <c>message</c>, <c>error</c> or <c>error.message</c>.</summary>
    public static string? MessageOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body, Bounded);
            JsonElement root = document.RootElement;
            return root.Text("message") ?? root.Text("error") ?? root.Text("detail") ?? root.Member("error")?.Text("message");
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
