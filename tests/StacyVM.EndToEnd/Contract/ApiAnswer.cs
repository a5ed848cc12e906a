using System.Text;
using System.Text.Json;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>An answer as it came, and what every answer has to be.</summary>
internal sealed record ApiAnswer(int Status, string? ContentType, string Text, HttpResponseMessage Message)
{
    public JsonElement Json => JsonDocument.Parse(Text).RootElement;

    public static async Task<ApiAnswer> ReadAsync(HttpResponseMessage message)
    {
        byte[] bytes = await message.Content.ReadAsByteArrayAsync();
        return new ApiAnswer((int)message.StatusCode, message.Content.Headers.ContentType?.ToString(), Encoding.UTF8.GetString(bytes), message);
    }

    public void IsError(int status, string code)
    {
        Assert.True(status == Status, $"{Status} instead of {status}: {Text}");
        IsCompactJson();
        Assert.Equal(["code", "message"], Json.EnumerateObject().Select(field => field.Name));
        Assert.Equal(code, Json.GetProperty("code").GetString());
        Assert.NotEmpty(Json.GetProperty("message").GetString()!);
    }

    public void IsCompactJson()
    {
        Assert.Equal("application/json", ContentType);
        Assert.Equal("nosniff", Message.Headers.GetValues("X-Content-Type-Options").Single());
        IsCompactLine(Text);
    }

    /// <summary>No blank outside of texts, one line feed at the end, and nothing that is null.</summary>
    public static void IsCompactLine(string line)
    {
        Assert.EndsWith("\n", line);
        bool inText = false;
        for (int at = 0; at < line.Length - 1; at++)
        {
            if (line[at] == '\\' && inText)
                at++;
            else if (line[at] == '"')
                inText = !inText;
            else
                Assert.False(!inText && char.IsWhiteSpace(line[at]), $"a blank at {at} of {line}");
        }
        Assert.Empty(Nulls(JsonDocument.Parse(line).RootElement, "$"));
    }

    private static IEnumerable<string> Nulls(JsonElement value, string at) => value.ValueKind switch
    {
        JsonValueKind.Null => [at],
        JsonValueKind.Object => value.EnumerateObject().SelectMany(field => Nulls(field.Value, $"{at}.{field.Name}")),
        JsonValueKind.Array => value.EnumerateArray().SelectMany(item => Nulls(item, $"{at}[]")),
        _ => [],
    };
}
