using System.Buffers;
using System.Net.WebSockets;
using System.Security.Cryptography;
using System.Text.Json;
using StacyVM.Protocol.Rest;

namespace StacyVM.Sdk.Http;

/// <summary>
/// A WebSocket of exec messages. The upgrade is an ordinary request, so that a refusal has the server's own error text, which the
/// framework's client would throw away.
/// </summary>
internal sealed class MessageSocket : IAsyncDisposable
{
    private readonly ApiConnection _connection;
    private readonly HttpResponseMessage _response;
    private readonly WebSocket _socket;
    private readonly SemaphoreSlim _sending = new(1, 1);
    private readonly ArrayBufferWriter<byte> _received = new(32 * 1024);

    private MessageSocket(ApiConnection connection, HttpResponseMessage response, WebSocket socket)
    {
        _connection = connection;
        _response = response;
        _socket = socket;
    }

    public static async Task<MessageSocket> OpenAsync(ApiConnection connection, string path, string sandboxId, CancellationToken cancellation)
    {
        Span<byte> nonce = stackalloc byte[16];
        RandomNumberGenerator.Fill(nonce);
        var call = new ApiCall(HttpMethod.Get, path)
        {
            SandboxId = sandboxId,
            Headers =
            [
                new("Connection", "Upgrade"), new("Upgrade", "websocket"), new("Sec-WebSocket-Version", "13"),
                new("Sec-WebSocket-Key", Convert.ToBase64String(nonce)),
            ],
        };
        HttpResponseMessage response = await connection.SendAsync(call, cancellation).ConfigureAwait(false);
        if (response.StatusCode != System.Net.HttpStatusCode.SwitchingProtocols)
        {
            response.Dispose();
            throw new ConnectionException($"the server at {connection.Address.Text} does not speak WebSocket here; is there a proxy in between that drops upgrades?");
        }
        Stream stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        var socket = WebSocket.CreateFromStream(
            stream,
            new WebSocketCreationOptions { KeepAliveInterval = TimeSpan.FromSeconds(20), KeepAliveTimeout = TimeSpan.FromSeconds(40) });
        return new MessageSocket(connection, response, socket);
    }

    /// <summary>Safe for many threads.</summary>
    public async ValueTask SendAsync(ExecSocketMessage message, CancellationToken cancellation)
    {
        byte[] json = JsonSerializer.SerializeToUtf8Bytes(message, RestJson.Default.ExecSocketMessage);
        await _sending.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            await _socket.SendAsync(json, WebSocketMessageType.Text, endOfMessage: true, cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            throw _connection.Unreachable(fault);
        }
        finally
        {
            _sending.Release();
        }
    }

    /// <summary>The next message, or null after an orderly close. One reader at a time.</summary>
    public async ValueTask<ExecSocketMessage?> ReceiveAsync(CancellationToken cancellation)
    {
        _received.ResetWrittenCount();
        try
        {
            while (true)
            {
                ValueWebSocketReceiveResult piece = await _socket.ReceiveAsync(_received.GetMemory(16 * 1024), cancellation).ConfigureAwait(false);
                if (piece.MessageType == WebSocketMessageType.Close)
                    return null;
                _received.Advance(piece.Count);
                if (piece.EndOfMessage)
                    return JsonSerializer.Deserialize(_received.WrittenSpan, RestJson.Default.ExecSocketMessage);
            }
        }
        catch (JsonException fault)
        {
            throw new ConnectionException("the server sent a message that is not JSON", fault);
        }
        catch (Exception fault) when (IsBroken(fault))
        {
            throw _connection.Unreachable(fault);
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_socket.State is WebSocketState.Open or WebSocketState.CloseReceived)
            {
                using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, limit.Token).ConfigureAwait(false);
            }
        }
        catch (Exception fault) when (IsBroken(fault) || fault is OperationCanceledException)
        {
            // It is closed either way.
        }
        _socket.Dispose();
        _response.Dispose();
    }

    private static bool IsBroken(Exception fault) =>
        fault is WebSocketException or IOException or HttpRequestException or ObjectDisposedException or InvalidOperationException;
}
