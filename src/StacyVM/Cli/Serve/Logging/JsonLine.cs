using System.Buffers;
using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace StacyVM.Cli.Serve.Logging;

/// <summary>An entry as one JSON object: <c>time</c>, <c>level</c>, <c>event</c>, <c>category</c>, <c>message</c>, then its values in snake_case.</summary>
internal static class JsonLine
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static void Write(in LogEntry entry, IBufferWriter<byte> line)
    {
        using (var json = new Utf8JsonWriter(line, Options))
        {
            json.WriteStartObject();
            json.WriteString("time", entry.Time);
            json.WriteString("level", entry.LevelName);
            if (entry.Event.Length > 0)
                json.WriteString("event", entry.Event);
            json.WriteString("category", entry.Category);
            json.WriteString("message", entry.Message);
            foreach ((string name, object? value) in entry.Fields)
            {
                if (name != "{OriginalFormat}")
                    WriteValue(json, JsonNamingPolicy.SnakeCaseLower.ConvertName(name), value);
            }
            if (entry.Fault is { } fault)
                json.WriteString("error", fault.ToString());
            json.WriteEndObject();
        }
        line.Write("\n"u8);
    }

    private static void WriteValue(Utf8JsonWriter json, string name, object? value)
    {
        switch (value)
        {
            case null:
                break;
            case bool flag:
                json.WriteBoolean(name, flag);
                break;
            case int number:
                json.WriteNumber(name, number);
                break;
            case long number:
                json.WriteNumber(name, number);
                break;
            case double number when double.IsFinite(number):
                json.WriteNumber(name, number);
                break;
            default:
                json.WriteString(name, Convert.ToString(value, CultureInfo.InvariantCulture));
                break;
        }
    }
}
