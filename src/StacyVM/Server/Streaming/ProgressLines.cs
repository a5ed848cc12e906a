using System.IO.Pipelines;
using System.Text.Json;
using System.Threading.Channels;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Streaming;

/// <summary>The progress of long work as lines of JSON, flushed one by one, and its outcome in the last. A client that goes away abandons the work.</summary>
internal static class ProgressLines
{
    private const string ContentType = "application/x-ndjson";

    public static bool AreWanted(HttpContext context) => context.Request.Headers.Accept.ToString().Contains(ContentType, StringComparison.OrdinalIgnoreCase);

    public static async Task WriteAsync(HttpContext context, Func<IProgress<string>, CancellationToken, Task<List<ImageInfo>>> work)
    {
        context.Response.ContentType = ContentType;
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        var sentences = Channel.CreateUnbounded<string>(new UnboundedChannelOptions { SingleReader = true });
        Task<ImageProgress> outcome = RunAsync(work, sentences.Writer, context.RequestAborted);
        await foreach (string sentence in sentences.Reader.ReadAllAsync(context.RequestAborted))
            await LineAsync(context.Response.BodyWriter, new ImageProgress { Message = sentence }, context.RequestAborted);
        await LineAsync(context.Response.BodyWriter, await outcome, context.RequestAborted);
    }

    private static async Task<ImageProgress> RunAsync(
        Func<IProgress<string>, CancellationToken, Task<List<ImageInfo>>> work, ChannelWriter<string> sentences, CancellationToken cancellation)
    {
        try
        {
            return new ImageProgress { Images = await work(new Sentences(sentences), cancellation) };
        }
        catch (StacyVMException problem)
        {
            return new ImageProgress { Code = problem.Problem.Code, Message = problem.Message };
        }
        finally
        {
            sentences.Complete();
        }
    }

    private static async Task LineAsync(PipeWriter output, ImageProgress line, CancellationToken cancellation)
    {
        await output.WriteAsync(JsonSerializer.SerializeToUtf8Bytes(line, RestJson.Default.ImageProgress), cancellation);
        await output.WriteAsync("\n"u8.ToArray(), cancellation);
        await output.FlushAsync(cancellation);
    }

    private sealed class Sentences(ChannelWriter<string> writer) : IProgress<string>
    {
        public void Report(string value) => writer.TryWrite(value);
    }
}
