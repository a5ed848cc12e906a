using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Json;

/// <summary>Writes JSON answers: compact, <c>application/json</c> without a charset, one line feed at the end.</summary>
internal static class JsonAnswer
{
    private const string ContentType = "application/json";

    /// <summary>The answers are never embedded in HTML and carry <c>nosniff</c>, so only what JSON itself demands is escaped.</summary>
    public static readonly JsonWriterOptions WriterOptions = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    public static Task OkAsync<T>(HttpContext context, T value, JsonTypeInfo<T> type) => WriteAsync(context, StatusCodes.Status200OK, value, type);

    public static Task StatusAsync(HttpContext context, string status) =>
        OkAsync(context, new StatusBody { Status = status }, RestJson.Default.StatusBody);

    public static async Task WriteAsync<T>(HttpContext context, int status, T value, JsonTypeInfo<T> type)
    {
        var buffer = new ArrayBufferWriter<byte>(512);
        WriteLine(buffer, value, type);
        context.Response.StatusCode = status;
        Describe(context.Response);
        context.Response.ContentLength = buffer.WrittenCount;
        await context.Response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    public static void Describe(HttpResponse response)
    {
        response.ContentType = ContentType;
        response.Headers.XContentTypeOptions = "nosniff";
    }

    /// <summary>One value and a line feed.</summary>
    public static void WriteLine<T>(IBufferWriter<byte> output, T value, JsonTypeInfo<T> type)
    {
        WriteValue(output, value, type);
        output.Write("\n"u8);
    }

    public static void WriteValue<T>(IBufferWriter<byte> output, T value, JsonTypeInfo<T> type)
    {
        using var writer = new Utf8JsonWriter(output, WriterOptions);
        JsonSerializer.Serialize(writer, value, type);
    }
}
