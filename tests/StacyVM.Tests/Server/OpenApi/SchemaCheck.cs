using System.Globalization;
using System.Text.Json;

namespace StacyVM.Tests.Server.OpenApi;

/// <summary>Holds a JSON value against a schema of our OpenAPI document, strictly: a field that the document does not know is a fault, too.</summary>
internal sealed class SchemaCheck(JsonElement document)
{
    public List<string> Faults(JsonElement schema, JsonElement value, string at = "$")
    {
        var faults = new List<string>();
        Check(schema, value, at, faults);
        return faults;
    }

    public JsonElement Resolve(JsonElement node)
    {
        while (node.ValueKind == JsonValueKind.Object && node.TryGetProperty("$ref", out JsonElement reference))
            node = reference.GetString()!.TrimStart('#', '/').Split('/').Aggregate(document, (at, name) => at.GetProperty(name));
        return node;
    }

    private void Check(JsonElement schema, JsonElement value, string at, List<string> faults)
    {
        schema = Resolve(schema);
        if (schema.TryGetProperty("allOf", out JsonElement all))
        {
            foreach (JsonElement part in all.EnumerateArray())
                Check(part, value, at, faults);
            return;
        }
        if (!schema.TryGetProperty("type", out JsonElement type))
            return;
        bool fits = type.GetString() switch
        {
            "object" => value.ValueKind == JsonValueKind.Object,
            "array" => value.ValueKind == JsonValueKind.Array,
            "string" => value.ValueKind == JsonValueKind.String,
            "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
            "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
            "number" => value.ValueKind == JsonValueKind.Number,
            _ => false,
        };
        if (!fits)
        {
            faults.Add($"{at} is {value.ValueKind} where the document says {type}");
            return;
        }
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                CheckFields(schema, value, at, faults);
                break;
            case JsonValueKind.Array:
                int index = 0;
                foreach (JsonElement item in value.EnumerateArray())
                    Check(schema.GetProperty("items"), item, $"{at}[{index++}]", faults);
                break;
            case JsonValueKind.String:
                CheckText(schema, value.GetString()!, at, faults);
                break;
        }
    }

    private void CheckFields(JsonElement schema, JsonElement value, string at, List<string> faults)
    {
        if (schema.TryGetProperty("required", out JsonElement required))
            faults.AddRange(required.EnumerateArray().Where(name => !value.TryGetProperty(name.GetString()!, out _)).Select(name => $"{at}.{name} is missing"));
        foreach (JsonProperty field in value.EnumerateObject())
        {
            if (schema.TryGetProperty("properties", out JsonElement properties) && properties.TryGetProperty(field.Name, out JsonElement known))
                Check(known, field.Value, $"{at}.{field.Name}", faults);
            else if (schema.TryGetProperty("additionalProperties", out JsonElement any))
                Check(any, field.Value, $"{at}.{field.Name}", faults);
            else
                faults.Add($"{at}.{field.Name} is not in the document");
        }
    }

    private static void CheckText(JsonElement schema, string text, string at, List<string> faults)
    {
        if (schema.TryGetProperty("enum", out JsonElement values) && !values.EnumerateArray().Any(value => value.GetString() == text))
            faults.Add($"{at} is \"{text}\", which is none of {values}");
        if (schema.TryGetProperty("format", out JsonElement format) && format.GetString() == "date-time"
            && !(text.EndsWith('Z') && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out _)))
        {
            faults.Add($"{at} is \"{text}\", which is no time in UTC");
        }
    }
}
