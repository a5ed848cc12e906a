using System.Buffers;
using System.Net.WebSockets;
using System.Text.Json;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;

namespace StacyVM.Server.Streaming;

/// <summary>The client's end of an exec WebSocket: bounded JSON messages in, JSON messages out, one at a time, and a close that never hangs.</summary>
internal sealed class SocketPeer(WebSocket socket) : IDisposable
{
    /// <summary>Largest message of a client.</summary>
    public const int MaxMessageBytes = 1024 * 1024;

    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(2);

    private readonly ArrayBufferWriter<byte> _incoming = new(4096);
    private readonly ArrayBufferWriter<byte> _outgoing = new(4096);
    private readonly SemaphoreSlim _sending = new(1, 1);

    /// <summary>The next message, or null when the client has closed.</summary>
    /// <exception cref="SocketFault">What the client sent is not a message; the socket is to be closed with its status.</exception>
    public async Task<ExecSocketMessage?> ReceiveAsync(CancellationToken cancellation)
    {
        _incoming.ResetWrittenCount();
        while (true)
        {
            ValueWebSocketReceiveResult part = await socket.ReceiveAsync(_incoming.GetMemory(4096), cancellation);
            if (part.MessageType == WebSocketMessageType.Close)
                return null;
            if (part.MessageType == WebSocketMessageType.Binary)
                throw new SocketFault(WebSocketCloseStatus.InvalidMessageType, "text messages only");
            _incoming.Advance(part.Count);
            if (_incoming.WrittenCount > MaxMessageBytes)
                throw new SocketFault(WebSocketCloseStatus.MessageTooBig, $"at most {MaxMessageBytes} bytes a message");
            if (part.EndOfMessage)
                return Parse();
        }
    }

    public async ValueTask SendAsync(ExecSocketMessage message, CancellationToken cancellation)
    {
        await _sending.WaitAsync(cancellation);
        try
        {
            _outgoing.ResetWrittenCount();
            JsonAnswer.WriteValue(_outgoing, message, RestJson.Default.ExecSocketMessage);
            await socket.SendAsync(_outgoing.WrittenMemory, WebSocketMessageType.Text, endOfMessage: true, cancellation);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>Says a last word, if there is one, and closes; gives up after two seconds on a client that does not read.</summary>
    public async Task CloseAsync(WebSocketCloseStatus status, string description, ExecSocketMessage? last = null)
    {
        using var patience = new CancellationTokenSource(Farewell);
        try
        {
            if (last is not null)
                await SendAsync(last, patience.Token);
            if (socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
                await socket.CloseOutputAsync(status, description, patience.Token);
        }
        catch (Exception e) when (e is WebSocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException or IOException)
        {
            socket.Abort();
        }
    }

    /// <summary>After our close: waits for the client's, so that the last message is not lost with the connection.</summary>
    public static Task AwaitFarewellAsync(Task listening) => Task.WhenAny(listening, Task.Delay(Farewell));

    public void Dispose() => _sending.Dispose();

    private ExecSocketMessage Parse()
    {
        try
        {
            var reader = new Utf8JsonReader(_incoming.WrittenSpan);
            return JsonSerializer.Deserialize(ref reader, RestJson.Default.ExecSocketMessage) ?? new ExecSocketMessage();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new SocketFault(WebSocketCloseStatus.InvalidPayloadData, "invalid request");
        }
    }
}

/// <summary>A client broke the rules of the socket; it is closed with this status.</summary>
internal sealed class SocketFault(WebSocketCloseStatus status, string description) : Exception(description)
{
    public WebSocketCloseStatus Status { get; } = status;

    public static ExecSocketMessage Tell(StacyVMException problem, bool typed) =>
        new() { Type = typed ? "error" : null, Error = problem.Message, Code = problem.Problem.Code };
}
