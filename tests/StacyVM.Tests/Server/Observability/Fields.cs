using System.Globalization;
using System.Text.Json;
using StacyVM.Protocol;
using Xunit;

namespace StacyVM.Tests.Server.Observability;

/// <summary>Holds a JSON object against a table of its fields.</summary>
internal static class Fields
{
    /// <param name="body">The object.</param>
    /// <param name="table">Dotted path → int, float, bool, string, duration, time, array, object. Whatever is not in it is a fault.</param>
    public static void Check(JsonElement body, IReadOnlyDictionary<string, string> table)
    {
        var faults = new List<string>();
        var seen = new HashSet<string>();
        Walk(body, "");
        faults.AddRange(table.Keys.Where(path => !seen.Contains(path)).Select(path => $"{path} is missing"));
        Assert.True(faults.Count == 0, string.Join('\n', faults));

        void Walk(JsonElement element, string prefix)
        {
            foreach (JsonProperty field in element.EnumerateObject())
            {
                string path = prefix + field.Name;
                if (!seen.Add(path))
                    faults.Add($"{path} is there twice");
                if (table.TryGetValue(path, out string? kind))
                {
                    if (!Fits(field.Value, kind))
                        faults.Add($"{path} is {field.Value.GetRawText()}, which is no {kind}");
                }
                else if (field.Value.ValueKind == JsonValueKind.Object)
                    Walk(field.Value, path + ".");
                else
                    faults.Add($"{path} is not of the contract");
            }
        }
    }

    private static bool Fits(JsonElement value, string kind) => kind switch
    {
        "int" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "float" => value.ValueKind == JsonValueKind.Number,
        "bool" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        "string" => value.ValueKind == JsonValueKind.String,
        "duration" => value.ValueKind == JsonValueKind.String && GoDuration.TryParse(value.GetString(), out _),
        "time" => value.ValueKind == JsonValueKind.String
            && DateTime.TryParseExact(value.GetString(), "yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture, DateTimeStyles.None, out _),
        "array" => value.ValueKind == JsonValueKind.Array,
        "object" => value.ValueKind == JsonValueKind.Object,
        _ => throw new ArgumentOutOfRangeException(nameof(kind)),
    };
}
