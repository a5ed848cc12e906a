using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.Features;
using StacyVM.Protocol.Problems;

namespace StacyVM.Server.Json;

/// <summary>
/// Reads a JSON request: the first value of the body, whatever the content type says; what follows it is ignored. <c>null</c> is an object
/// without members. The size is bounded by the server's limit (<c>server.max_json_bytes</c>), which Kestrel enforces while we read.
/// </summary>
internal static class JsonBody
{
    public static async Task<T> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class, new()
    {
        PipeReader body = context.Request.BodyReader;
        long? limit = context.Features.Get<IHttpMaxRequestBodySizeFeature>()?.MaxRequestBodySize;
        if (limit is { } most && context.Request.ContentLength > most)
            throw TooLarge(most);
        while (true)
        {
            ReadResult read = await body.ReadAsync(context.RequestAborted);
            if (!read.IsCompleted)
            {
                body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }
            try
            {
                return Parse(read.Buffer, type);
            }
            finally
            {
                body.AdvanceTo(read.Buffer.End);
            }
        }
    }

    /// <summary>As <see cref="ReadAsync"/>, but a body that is missing or cannot be understood is an object without members.</summary>
    public static async Task<T> ReadOrDefaultAsync<T>(HttpContext context, JsonTypeInfo<T> type)
        where T : class, new()
    {
        try
        {
            return await ReadAsync(context, type);
        }
        catch (Refusal refusal) when (refusal.Problem.Kind == ProblemKind.InvalidInput)
        {
            return new T();
        }
    }

    public static Refusal TooLarge(long limit) =>
        new(ProblemKind.PayloadTooLarge, $"payload too large: JSON bodies take at most {limit} bytes; send files with PUT /files?path=");

    private static T Parse<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type)
        where T : class, new()
    {
        var reader = new Utf8JsonReader(bytes);
        try
        {
            return JsonSerializer.Deserialize(ref reader, type) ?? new T();
        }
        catch (JsonException e)
        {
            throw Refusal.BadBody(Explain(e, bytes.IsEmpty));
        }
        catch (InvalidOperationException)
        {
            // Text that is no Unicode, such as a lone surrogate, reaches us so from some converters.
            throw Refusal.BadBody("a text in it is not valid Unicode");
        }
    }

    /// <summary>Says which field has the wrong type, or where the JSON breaks; never quotes the body.</summary>
    internal static string Explain(JsonException e, bool empty)
    {
        if (empty)
            return "it is empty";
        if (e.InnerException is JsonException || e.Path is null)
            return $"not JSON at line {e.LineNumber + 1}, byte {e.BytePositionInLine + 1}";
        string field = e.Path.TrimStart('$').TrimStart('.');
        return field.Length == 0 ? "an object is expected" : $"field {field} has the wrong type";
    }
}
