using System.IO.Pipelines;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;

namespace StacyVM.Server.Streaming;

/// <summary>
/// Output of a command as lines of JSON, each flushed when it comes, a blank line after 15 seconds of silence. The last line carries the exit
/// code, or the code of the problem that ended the stream. A client that goes away cancels the command; one that reads slowly makes it wait.
/// </summary>
internal sealed class NdjsonOutput(ServerLifetime lifetime, TimeProvider time)
{
    private const string Stdout = "stdout";
    private const string Stderr = "stderr";

    /// <param name="context">The request; its answer begins here.</param>
    /// <param name="sandboxId">For messages.</param>
    /// <param name="command">Read to its end; the caller disposes it.</param>
    /// <param name="offsets">Say on every line how many bytes of output there were up to it.</param>
    /// <param name="until">Stop after so many bytes of output instead of waiting for more.</param>
    public async Task WriteAsync(HttpContext context, string sandboxId, RunningCommand command, bool offsets = false, ulong until = ulong.MaxValue)
    {
        context.AllowLongStreams();
        context.Response.ContentType = "application/x-ndjson";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        await context.Response.StartAsync(context.RequestAborted);
        PipeWriter output = context.Response.BodyWriter;
        await output.FlushAsync(context.RequestAborted);
        using CancellationTokenSource end = lifetime.StreamOf(context);
        StreamChunk? last;
        try
        {
            last = await CopyAsync(output, sandboxId, command.Session, offsets, until, end.Token);
        }
        catch (StacyVMException problem)
        {
            await LineAsync(output, new() { Stream = Stderr, Data = problem.Message }, context.RequestAborted);
            last = new() { Stream = Stdout, Data = "", Code = problem.Problem.Code };
        }
        catch (OperationCanceledException) when (lifetime.Stopping.IsCancellationRequested && !context.RequestAborted.IsCancellationRequested)
        {
            last = new() { Stream = Stdout, Data = "", Code = Problem.Of(ProblemKind.Unavailable).Code };
        }
        if (last is not null)
            await LineAsync(output, last, context.RequestAborted);
    }

    private async Task<StreamChunk?> CopyAsync(
        PipeWriter output, string sandboxId, IExecSession session, bool offsets, ulong until, CancellationToken cancellation)
    {
        var texts = (Out: new Utf8Pieces(), Error: new Utf8Pieces());
        ulong offset = session.Offset;
        while (offset < until)
        {
            ValueTask<ExecOutput?> read = session.ReadAsync(cancellation);
            ExecOutput? piece = read.IsCompleted
                ? await read
                : await Silence.AwaitAsync(read.AsTask(), () => BeatAsync(output, cancellation), time);
            if (piece is not { } data)
                return await EndAsync(output, sandboxId, session, texts, offsets ? (long)offset : null, cancellation);
            offset += (ulong)data.Data.Length;
            string text = (data.IsError ? texts.Error : texts.Out).Next(data.Data.Span);
            if (text.Length > 0)
                await LineAsync(output, new() { Stream = data.IsError ? Stderr : Stdout, Data = text, Offset = offsets ? (long)offset : null }, cancellation);
        }
        return null;
    }

    private static async Task<StreamChunk> EndAsync(
        PipeWriter output, string sandboxId, IExecSession session, (Utf8Pieces Out, Utf8Pieces Error) texts, long? offset, CancellationToken cancellation)
    {
        foreach (var (name, text) in new[] { (Stdout, texts.Out.Rest()), (Stderr, texts.Error.Rest()) })
        {
            if (text.Length > 0)
                await LineAsync(output, new() { Stream = name, Data = text, Offset = offset }, cancellation);
        }
        ExecExit exit = await session.Exit.WaitAsync(cancellation);
        if (exit.TimedOut)
            await LineAsync(output, new() { Stream = Stderr, Data = $"{Problem.Of(ProblemKind.ExecTimeout).Title}: {sandboxId}" }, cancellation);
        return new()
        {
            Stream = Stdout,
            Data = "",
            ExitCode = exit.Code,
            Duration = Protocol.GoDuration.Format(exit.Duration),
            Code = exit.TimedOut ? Problem.Of(ProblemKind.ExecTimeout).Code : null,
            Offset = offset,
        };
    }

    private static async ValueTask LineAsync(PipeWriter output, StreamChunk chunk, CancellationToken cancellation)
    {
        JsonAnswer.WriteLine(output, chunk, RestJson.Default.StreamChunk);
        await output.FlushAsync(cancellation);
    }

    private static async ValueTask BeatAsync(PipeWriter output, CancellationToken cancellation) =>
        await output.WriteAsync("\n"u8.ToArray(), cancellation);
}
