using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;

namespace StacyVM.Sdk.Http;

/// <summary>One request.</summary>
internal sealed record ApiCall(HttpMethod Method, string Path)
{
    /// <summary>The sandbox it is about, for the exception.</summary>
    public string? SandboxId { get; init; }

    public HttpContent? Content { get; init; }

    /// <summary>It may take as long as it needs until the first byte of its answer.</summary>
    public bool Unhurried { get; init; }

    /// <summary>A status beyond the successful ones that is an answer and not an error.</summary>
    public HttpStatusCode? AlsoAccepted { get; init; }

    public IReadOnlyList<KeyValuePair<string, string>> Headers { get; init; } = [];

    public bool Accepts(HttpStatusCode status) => status == AlsoAccepted;

    public HttpRequestMessage ToRequest()
    {
        var request = new HttpRequestMessage(Method, "api/v1/" + Path) { Content = Content };
        foreach ((string name, string value) in Headers)
            request.Headers.TryAddWithoutValidation(name, value);
        return request;
    }

    /// <summary>A JSON body with a length, so that it is not sent in chunks.</summary>
    public static HttpContent Json<T>(T value, JsonTypeInfo<T> type)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(value, type));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    public static HttpContent Bytes(ReadOnlyMemory<byte> data)
    {
        var content = new ReadOnlyMemoryContent(data);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        return content;
    }
}
