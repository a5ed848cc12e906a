using System.Net;
using System.Net.WebSockets;
using System.Text;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Api;

/// <summary>What a program in a sandbox serves, reached under its own name through the published server.</summary>
public sealed class PreviewTests
{
    /// <summary>Speaks plain HTTP and, where asked, WebSocket: it sends every message back in capitals.</summary>
    private const string Application = """
        import base64, hashlib, socket, struct, threading
        def serve(peer):
            head = b''
            while not head.endswith(b'\r\n\r\n'):
                piece = peer.recv(1)
                if not piece: return
                head += piece
            fields = dict(line.lower().split(': ', 1) for line in head.decode().split('\r\n')[1:] if line)
            if 'sec-websocket-key' not in fields:
                body = head
                peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n' % len(body) + body)
                peer.close()
                return
            key = [line.split(': ', 1)[1] for line in head.decode().split('\r\n') if line.lower().startswith('sec-websocket-key')][0]
            accept = base64.b64encode(hashlib.sha1((key + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').encode()).digest())
            peer.sendall(b'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ' + accept + b'\r\n\r\n')
            stream = peer.makefile('rb')
            while True:
                first = stream.read(2)
                if len(first) < 2: return
                size, mask = first[1] & 127, None
                if size == 126: size = struct.unpack('>H', stream.read(2))[0]
                mask = stream.read(4)
                data = bytes(byte ^ mask[at % 4] for at, byte in enumerate(stream.read(size)))
                if first[0] & 15 == 8:
                    peer.sendall(b'\x88' + bytes([len(data)]) + data)
                    return
                data = data.upper()
                peer.sendall(b'\x81' + (bytes([len(data)]) if len(data) < 126 else b'\x7e' + struct.pack('>H', len(data))) + data)
        listener = socket.create_server(('127.0.0.1', 3000))
        print('serving', flush=True)
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """;

    [Fact]
    public async Task Http_reaches_the_program_by_its_name_without_the_callers_credentials()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await ServeAsync(server);
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{server.Port}/a/b?c=d");
        request.Headers.Host = $"3000-{id}.localhost:{server.Port}";
        request.Headers.Add("X-API-Key", "of-the-api");
        request.Headers.Add("X-Mine", "of-the-application");
        using HttpResponseMessage answer = await server.Http.SendAsync(request);
        string seen = await answer.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.StartsWith("GET /a/b?c=d HTTP/1.1\r\n", seen);
        Assert.Contains("of-the-application", seen);
        Assert.DoesNotContain("of-the-api\r\n", seen);
    }

    [Fact]
    public async Task A_WebSocket_passes_both_ways_in_small_and_large_messages()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await ServeAsync(server);
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Host", $"3000-{id}.localhost:{server.Port}");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/chat"), Soon());
        byte[] buffer = new byte[64 * 1024];
        foreach (string text in new[] { "hello", new string('x', 20_000), "bye" })
        {
            await socket.SendAsync(Encoding.ASCII.GetBytes(text), WebSocketMessageType.Text, true, Soon());
            using var back = new MemoryStream();
            WebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer, Soon());
                back.Write(buffer, 0, part.Count);
            }
            while (!part.EndOfMessage);
            Assert.Equal(text.ToUpperInvariant(), Encoding.ASCII.GetString(back.ToArray()));
        }
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", Soon());
    }

    [Fact]
    public async Task Ports_are_listed_and_a_silent_one_and_a_destroyed_sandbox_are_told_apart()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await ServeAsync(server);
        Assert.Contains("\"port\":3000", (await server.GetAsync($"sandboxes/{id}/ports")).GetRawText());
        Assert.Equal((HttpStatusCode.BadGateway, true), await AskAsync(server, $"4000-{id}.localhost", "4000"));
        Assert.Equal(HttpStatusCode.OK, await server.DestroyAsync(id));
        Assert.Equal((HttpStatusCode.NotFound, true), await AskAsync(server, $"3000-{id}.localhost", id));
    }

    private static async Task<(HttpStatusCode, bool)> AskAsync(PublishedServer server, string host, string named)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://127.0.0.1:{server.Port}/");
        request.Headers.Host = host;
        using HttpResponseMessage answer = await server.Http.SendAsync(request);
        return (answer.StatusCode, (await answer.Content.ReadAsStringAsync()).Contains(named, StringComparison.Ordinal));
    }

    private static async Task<string> ServeAsync(PublishedServer server)
    {
        string id = await server.SpawnAsync();
        using (HttpResponseMessage written = await server.Http.PutAsync($"sandboxes/{id}/files?path=/workspace/app.py", new StringContent(Application)))
            Assert.Equal(HttpStatusCode.OK, written.StatusCode);
        using ExecConversation socket = await ExecConversation.OpenAsync(server, id);
        await socket.SendAsync("""{"type":"start","command":"python3 /workspace/app.py","background":true}""");
        await socket.ReceiveAsync();
        await socket.UntilAsync("serving");
        return id;
    }

    private static CancellationToken Soon() => new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token;
}
