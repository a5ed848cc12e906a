using System.IO.Pipelines;
using System.Text.Json;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Json;

/// <summary>
/// The answer of a whole exec, written in pieces: its texts may be hundreds of megabytes, more than a JSON writer takes in one token and far
/// more than should be held a second time.
/// </summary>
internal static class ExecResultAnswer
{
    private const int PieceLength = 32 * 1024;

    public static async Task WriteAsync(HttpContext context, ExecResult result)
    {
        if (result.Stdout.Length + result.Stderr.Length <= PieceLength)
        {
            await JsonAnswer.OkAsync(context, result, RestJson.Default.ExecResult);
            return;
        }
        JsonAnswer.Describe(context.Response);
        PipeWriter output = context.Response.BodyWriter;
        await using var writer = new Utf8JsonWriter(output, JsonAnswer.WriterOptions);
        writer.WriteStartObject();
        writer.WriteNumber("exit_code"u8, result.ExitCode);
        await WriteTextAsync(writer, output, "stdout", result.Stdout, context.RequestAborted);
        await WriteTextAsync(writer, output, "stderr", result.Stderr, context.RequestAborted);
        writer.WriteString("duration"u8, result.Duration);
        if (result.Truncated is { } truncated)
            writer.WriteBoolean("truncated"u8, truncated);
        writer.WriteEndObject();
        writer.Flush();
        await output.WriteAsync("\n"u8.ToArray(), context.RequestAborted);
    }

    private static async Task WriteTextAsync(Utf8JsonWriter writer, PipeWriter output, string name, string text, CancellationToken cancellation)
    {
        writer.WritePropertyName(name);
        for (int at = 0; at < text.Length;)
        {
            int length = Math.Min(PieceLength, text.Length - at);
            writer.WriteStringValueSegment(text.AsSpan(at, length), isFinalSegment: false);
            at += length;
            writer.Flush();
            await output.FlushAsync(cancellation);
        }
        writer.WriteStringValueSegment(ReadOnlySpan<char>.Empty, isFinalSegment: true);
    }
}
