using System.Net.WebSockets;
using System.Text;
using System.Text.Json;

namespace StacyVM.EndToEnd.Server;

/// <summary>One exec WebSocket of a published server, as any client would hold it.</summary>
internal sealed class ExecConversation : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly ClientWebSocket _socket = new();

    public WebSocketCloseStatus? CloseStatus => _socket.CloseStatus;

    public static async Task<ExecConversation> OpenAsync(PublishedServer server, string id, string query = "")
    {
        var conversation = new ExecConversation();
        using var bound = new CancellationTokenSource(Patience);
        await conversation._socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/api/v1/sandboxes/{id}/exec/ws{query}"), bound.Token);
        return conversation;
    }

    public Task SendAsync(string message) => _socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, CancellationToken.None);

    /// <summary>The next message; null when the server has closed.</summary>
    public async Task<JsonElement?> ReceiveAsync()
    {
        using var bound = new CancellationTokenSource(Patience);
        using var message = new MemoryStream();
        byte[] buffer = new byte[16 * 1024];
        while (true)
        {
            WebSocketReceiveResult part = await _socket.ReceiveAsync(buffer, bound.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", bound.Token);
                return null;
            }
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return JsonDocument.Parse(message.ToArray()).RootElement;
        }
    }

    /// <summary>Collects output until it contains a text.</summary>
    public async Task<string> UntilAsync(string text)
    {
        var output = new StringBuilder();
        while (!output.ToString().Contains(text, StringComparison.Ordinal))
        {
            JsonElement message = await ReceiveAsync() ?? throw new InvalidOperationException($"closed before \"{text}\" came, after: {output}");
            output.Append(message.TryGetProperty("data", out JsonElement data) ? data.GetString() : throw new InvalidOperationException($"instead of \"{text}\": {message}"));
        }
        return output.ToString();
    }

    /// <summary>Collects output until a message of that type comes.</summary>
    public async Task<(string Output, JsonElement Last)> ToEndAsync(string type)
    {
        var output = new StringBuilder();
        while (await ReceiveAsync() is { } message)
        {
            if (message.TryGetProperty("type", out JsonElement name) && name.GetString() == type)
                return (output.ToString(), message);
            output.Append(message.GetProperty("data").GetString());
        }
        throw new InvalidOperationException($"closed before {type} came, after: {output}");
    }

    /// <summary>The connection breaks, without a word of farewell.</summary>
    public void Abort() => _socket.Abort();

    public void Dispose() => _socket.Dispose();
}
