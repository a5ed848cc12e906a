using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using StacyVM.Engine.Providers;
using StacyVM.Tests.Server.Scripted;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Both protocols of the exec socket.</summary>
public sealed class ExecSocketTests
{
    [Fact]
    public async Task The_plain_protocol_streams_and_is_done()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using ClientWebSocket socket = await OpenAsync(server, id);
        await SendAsync(socket, """{"command":"echo hi"}""");
        Assert.Equal("""{"data":"hi\n","stream":"stdout"}""", await ReceiveAsync(socket));
        JsonElement done = JsonDocument.Parse((await ReceiveAsync(socket))!).RootElement;
        Assert.Equal(("done", 0), (done.GetProperty("type").GetString(), done.GetProperty("exit_code").GetInt32()));
        Assert.Null(await ReceiveAsync(socket));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task The_plain_protocol_tells_a_failed_start()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using ClientWebSocket socket = await OpenAsync(server, "sb-unknown");
        await SendAsync(socket, """{"command":"echo hi"}""");
        Assert.Contains("\"error\":\"sandbox not found: sb-unknown\"", await ReceiveAsync(socket));
        Assert.Null(await ReceiveAsync(socket));
        Assert.Equal((WebSocketCloseStatus.InternalServerError, "exec failed"), (socket.CloseStatus, socket.CloseStatusDescription));
    }

    [Theory]
    [InlineData("no json", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("""{"command":7}""", WebSocketCloseStatus.InvalidPayloadData)]
    [InlineData("big", WebSocketCloseStatus.MessageTooBig)]
    [InlineData("binary", WebSocketCloseStatus.InvalidMessageType)]
    public async Task A_bad_first_message_closes_with_its_reason(string message, WebSocketCloseStatus status)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using ClientWebSocket socket = await OpenAsync(server, id);
        if (message == "big")
            message = $$"""{"command":"{{new string('x', 1 << 20)}}"}""";
        await socket.SendAsync(Encoding.UTF8.GetBytes(message), message == "binary" ? WebSocketMessageType.Binary : WebSocketMessageType.Text, true, default);
        Assert.Null(await ReceiveAsync(socket));
        Assert.Equal(status, socket.CloseStatus);
    }

    [Fact]
    public async Task The_rich_protocol_types_resizes_signals_and_exits()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using ClientWebSocket socket = await OpenAsync(server, id);
        await SendAsync(socket, """{"type":"start","command":"shell","tty":true,"cols":120,"rows":40}""");
        JsonElement started = JsonDocument.Parse((await ReceiveAsync(socket))!).RootElement;
        Assert.Equal(("started", 1), (started.GetProperty("type").GetString(), started.GetProperty("process_id").GetInt32()));
        ScriptedSession session = server.Provider[id].Sessions.Take();
        Assert.Equal(new TerminalSize(120, 40), session.Spec.Terminal);
        Assert.True(session.Spec.Stdin);

        await SendAsync(socket, """{"type":"stdin","data":"ls\n"}""");
        Assert.Equal("ls\n", await session.Received.ReadAsync());
        await SendAsync(socket, """{"type":"stdin","data_base64":"4oKs"}""");
        Assert.Equal("€", await session.Received.ReadAsync());
        await SendAsync(socket, """{"type":"resize","cols":80,"rows":24}""");
        Assert.Equal(new TerminalSize(80, 24), await session.Received.ReadAsync());
        await SendAsync(socket, """{"type":"signal","signal":"SIGINT"}""");
        Assert.Equal(2, await session.Received.ReadAsync());
        await SendAsync(socket, """{"type":"resize","cols":0,"rows":24}""");
        Assert.Contains("\"type\":\"error\"", await ReceiveAsync(socket));
        await SendAsync(socket, """{"type":"dance"}""");
        Assert.Contains("\"code\":\"BAD_REQUEST\"", await ReceiveAsync(socket));
        await SendAsync(socket, """{"type":"eof"}""");
        Assert.Equal("eof", await session.Received.ReadAsync());

        session.Write("out"u8.ToArray());
        Assert.Equal("""{"type":"stdout","data":"out"}""", await ReceiveAsync(socket));
        session.Write("err"u8.ToArray(), isError: true);
        Assert.Equal("""{"type":"stderr","data":"err"}""", await ReceiveAsync(socket));
        session.End(130);
        Assert.Equal("""{"type":"exit","exit_code":130,"duration":"1.5ms"}""", await ReceiveAsync(socket));
        Assert.Null(await ReceiveAsync(socket));
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task Bytes_come_as_base64_where_that_is_asked_for()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using ClientWebSocket socket = await OpenAsync(server, id);
        await SendAsync(socket, """{"type":"start","command":"shell","binary":true}""");
        await ReceiveAsync(socket);
        ScriptedSession session = server.Provider[id].Sessions.Take();
        session.Write([0xFF, 0x00, 0x80]);
        Assert.Equal("""{"type":"stdout","data_base64":"/wCA"}""", await ReceiveAsync(socket));
    }

    [Fact]
    public async Task Attaching_replays_from_an_offset()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"serve","background":true}""");
        ScriptedSession session = server.Provider[id].Sessions.Take();
        session.Write("hello"u8.ToArray());
        session.End(4);
        using ClientWebSocket socket = await OpenAsync(server, id);
        await SendAsync(socket, """{"type":"attach","process_id":1,"offset":2}""");
        Assert.Contains("\"offset\":2", await ReceiveAsync(socket));
        Assert.Equal("""{"type":"stdout","data":"llo"}""", await ReceiveAsync(socket));
        Assert.Contains("\"exit_code\":4", await ReceiveAsync(socket));
    }

    [Theory]
    [InlineData("""{"command":"wait"}""")]
    [InlineData("""{"type":"start","command":"wait"}""")]
    public async Task Closing_the_socket_ends_the_command(string start)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        foreach (bool politely in new[] { true, false })
        {
            using ClientWebSocket socket = await OpenAsync(server, id);
            await SendAsync(socket, start);
            ScriptedSession session = server.Provider[id].Sessions.Take();
            if (politely)
            {
                if (start.Contains("type"))
                    await ReceiveAsync(socket);
                await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", new CancellationTokenSource(TimeSpan.FromSeconds(5)).Token);
            }
            else
                socket.Abort();
            await session.Killed.WaitAsync(TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public async Task A_background_command_survives_its_socket()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using ClientWebSocket socket = await OpenAsync(server, id);
        await SendAsync(socket, """{"type":"start","command":"wait","background":true}""");
        await ReceiveAsync(socket);
        ScriptedSession session = server.Provider[id].Sessions.Take();
        await socket.CloseAsync(WebSocketCloseStatus.NormalClosure, "", default);
        Assert.False(session.Killed.IsCompleted);
    }

    [Fact]
    public async Task A_socket_that_is_not_read_stalls_only_its_own_command()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using ClientWebSocket socket = await OpenAsync(server, id);
        await SendAsync(socket, """{"type":"start","command":"flood","binary":true}""");
        ScriptedSession session = server.Provider[id].Sessions.Take();
        byte[] piece = new byte[64 * 1024];
        long written = 0;
        using var full = new CancellationTokenSource();
        try
        {
            while (written < 1L << 30)
            {
                full.CancelAfter(TimeSpan.FromSeconds(1));
                await session.WriteOutputAsync(piece, full.Token);
                written += piece.Length;
            }
        }
        catch (OperationCanceledException)
        {
        }
        Assert.True(written < 64L << 20, $"{written >> 20} MiB went into a socket that nobody reads");
        using ClientWebSocket other = await OpenAsync(server, id);
        await SendAsync(other, """{"command":"echo free"}""");
        Assert.Contains("free", await ReceiveAsync(other));
    }

    [Fact]
    public async Task A_stopping_server_says_so_and_closes()
    {
        RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using ClientWebSocket socket = await OpenAsync(server, id);
        await SendAsync(socket, """{"type":"start","command":"wait"}""");
        await ReceiveAsync(socket);
        Task stopping = server.Server.StopAsync();
        Assert.Contains("\"code\":\"UNAVAILABLE\"", await ReceiveAsync(socket));
        Assert.Null(await ReceiveAsync(socket));
        Assert.Equal(WebSocketCloseStatus.EndpointUnavailable, socket.CloseStatus);
        await stopping.WaitAsync(TimeSpan.FromSeconds(5));
        await server.DisposeAsync();
    }

    private static async Task<ClientWebSocket> OpenAsync(RunningServer server, string id)
    {
        var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/api/v1/sandboxes/{id}/exec/ws"), default);
        return socket;
    }

    private static Task SendAsync(ClientWebSocket socket, string message) =>
        socket.SendAsync(Encoding.UTF8.GetBytes(message), WebSocketMessageType.Text, true, default);

    /// <summary>The next message, or null when the server has closed.</summary>
    private static async Task<string?> ReceiveAsync(ClientWebSocket socket)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        var message = new MemoryStream();
        byte[] buffer = new byte[4096];
        while (true)
        {
            WebSocketReceiveResult part = await socket.ReceiveAsync(buffer, patience.Token);
            if (part.MessageType == WebSocketMessageType.Close)
            {
                await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", patience.Token);
                return null;
            }
            message.Write(buffer, 0, part.Count);
            if (part.EndOfMessage)
                return Encoding.UTF8.GetString(message.ToArray());
        }
    }
}
