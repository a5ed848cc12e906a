using System.IO.Pipelines;
using System.Text;
using StacyVM.Engine.Events;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Streaming;

/// <summary>
/// Server-sent events: <c>id:</c> and <c>data:</c> lines without an event name, so that <c>onmessage</c> gets them all. A client that comes back
/// with <c>Last-Event-ID</c> (or <c>?after=</c>) gets what it missed, as far as it is kept.
/// </summary>
internal sealed class EventStream(EventBus events, ServerLifetime lifetime, TimeProvider time)
{
    public async Task WriteAsync(HttpContext context)
    {
        string? after = context.Request.Headers["Last-Event-ID"].ToString() is { Length: > 0 } last ? last : context.Query("after");
        string[]? types = context.Query("type")?.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
        string? sandbox = context.Query("sandbox_id");
        context.AllowLongStreams();
        using CancellationTokenSource end = lifetime.StreamOf(context);
        await using IAsyncEnumerator<EventMessage> next = events.SubscribeAsync(after, end.Token, context.Caller()).GetAsyncEnumerator(end.Token);
        // The subscription begins with the first move: what happens from the moment in which the client sees the headers on must not be lost.
        Task<bool> move = next.MoveNextAsync().AsTask();
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.Connection = "keep-alive";
        context.Response.Headers["X-Accel-Buffering"] = "no";
        PipeWriter output = context.Response.BodyWriter;
        try
        {
            await CommentAsync(output, "connected", context.RequestAborted);
            while (await Silence.AwaitAsync(move, () => CommentAsync(output, "keep-alive", context.RequestAborted), time))
            {
                EventMessage message = next.Current;
                if ((types is null or [] || types.Contains(message.Type)) && (string.IsNullOrEmpty(sandbox) || message.SandboxId == sandbox))
                    await EventAsync(output, message, context.RequestAborted);
                move = next.MoveNextAsync().AsTask();
            }
        }
        finally
        {
            // An enumerator must not be left in the middle of a move.
            await end.CancelAsync();
            await move.ContinueWith(static _ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
        if (!context.RequestAborted.IsCancellationRequested)
            await CommentAsync(output, "the server is stopping", context.RequestAborted);
    }

    private static async ValueTask EventAsync(PipeWriter output, EventMessage message, CancellationToken cancellation)
    {
        Encoding.UTF8.GetBytes($"id: {message.Id}\ndata: ", output);
        JsonAnswer.WriteLine(output, message, RestJson.Default.EventMessage);
        Encoding.UTF8.GetBytes("\n", output);
        await output.FlushAsync(cancellation);
    }

    private static async ValueTask CommentAsync(PipeWriter output, string text, CancellationToken cancellation)
    {
        Encoding.UTF8.GetBytes($": {text}\n\n", output);
        await output.FlushAsync(cancellation);
    }
}
