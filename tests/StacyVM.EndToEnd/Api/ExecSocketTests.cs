using System.Net.WebSockets;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Api;

/// <summary>Commands over a WebSocket, in both protocols, with a real terminal at the other end.</summary>
public sealed class ExecSocketTests
{
    [Fact]
    public async Task The_plain_protocol_streams_both_outputs_and_ends_with_the_code()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using ExecConversation socket = await ExecConversation.OpenAsync(server, id);
        await socket.SendAsync("""{"command":"echo out; sleep 0.1; echo err >&2; exit 9"}""");
        JsonElement first = (await socket.ReceiveAsync())!.Value;
        Assert.Equal(("stdout", "out\n"), (first.GetProperty("stream").GetString(), first.GetProperty("data").GetString()));
        JsonElement second = (await socket.ReceiveAsync())!.Value;
        Assert.Equal(("stderr", "err\n"), (second.GetProperty("stream").GetString(), second.GetProperty("data").GetString()));
        (_, JsonElement done) = await socket.ToEndAsync("done");
        Assert.Equal(9, done.GetProperty("exit_code").GetInt32());
        Assert.Null(await socket.ReceiveAsync());
        Assert.Equal(WebSocketCloseStatus.NormalClosure, socket.CloseStatus);
    }

    [Fact]
    public async Task The_rich_protocol_feeds_stdin_and_its_end()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using ExecConversation socket = await ExecConversation.OpenAsync(server, id);
        await socket.SendAsync("""{"type":"start","command":"cat; echo \"end $K $PWD\"; exit 3","env":{"K":"v"},"workdir":"/tmp"}""");
        Assert.Equal("started", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
        await socket.SendAsync("""{"type":"stdin","data":"one\n"}""");
        await socket.SendAsync("""{"type":"stdin","data_base64":"4oKsCg=="}""");
        await socket.SendAsync("""{"type":"eof"}""");
        (string output, JsonElement exit) = await socket.ToEndAsync("exit");
        Assert.Equal(("one\n€\nend v /tmp\n", 3), (output, exit.GetProperty("exit_code").GetInt32()));
        Assert.Null(await socket.ReceiveAsync());
    }

    [Fact]
    public async Task A_terminal_has_its_size_follows_a_resize_and_takes_signals()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using ExecConversation socket = await ExecConversation.OpenAsync(server, id);
        await socket.SendAsync("""{"type":"start","command":"stty size; trap 'echo signalled' USR1; trap 'stty size' WINCH; echo ready; while read -r line || true; do [ \"$line\" = quit ] && exit 5; done","tty":true,"cols":120,"rows":40}""");
        Assert.Equal("started", (await socket.ReceiveAsync())!.Value.GetProperty("type").GetString());
        Assert.StartsWith("40 120\r\n", await socket.UntilAsync("ready"));
        await socket.SendAsync("""{"type":"resize","cols":80,"rows":24}""");
        await socket.SendAsync("""{"type":"stdin","data":"go\n"}""");
        await socket.UntilAsync("24 80");
        await socket.SendAsync("""{"type":"signal","signal":"SIGUSR1"}""");
        await socket.SendAsync("""{"type":"stdin","data":"go\n"}""");
        await socket.UntilAsync("signalled");
        await socket.SendAsync("""{"type":"stdin","data":"quit\n"}""");
        (_, JsonElement exit) = await socket.ToEndAsync("exit");
        Assert.Equal(5, exit.GetProperty("exit_code").GetInt32());
    }

    [Fact]
    public async Task Control_C_on_a_terminal_interrupts_and_bytes_come_as_base64()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using (ExecConversation socket = await ExecConversation.OpenAsync(server, id))
        {
            await socket.SendAsync("""{"type":"start","command":"echo ready; exec sleep 60","tty":true}""");
            await socket.ReceiveAsync();
            await socket.UntilAsync("ready");
            await socket.SendAsync("""{"type":"stdin","data":"\u0003"}""");
            (_, JsonElement exit) = await socket.ToEndAsync("exit");
            Assert.Equal(130, exit.GetProperty("exit_code").GetInt32());
        }
        using ExecConversation bytes = await ExecConversation.OpenAsync(server, id);
        await bytes.SendAsync("""{"type":"start","command":"printf '\\377\\000\\200'","binary":true}""");
        await bytes.ReceiveAsync();
        Assert.Equal("/wCA", (await bytes.ReceiveAsync())!.Value.GetProperty("data_base64").GetString());
    }

    [Fact]
    public async Task A_background_command_outlives_its_socket_and_is_attached_to_from_an_offset()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        long process;
        using (ExecConversation first = await ExecConversation.OpenAsync(server, id))
        {
            await first.SendAsync("""{"type":"start","command":"echo hello; while ! [ -e /workspace/go ]; do sleep 0.02; done; echo bye; exit 4","background":true}""");
            process = (await first.ReceiveAsync())!.Value.GetProperty("process_id").GetInt64();
            await first.UntilAsync("hello");
            first.Abort();
        }
        await server.OutputAsync(id, "touch /workspace/go");
        using ExecConversation second = await ExecConversation.OpenAsync(server, id);
        await second.SendAsync($$"""{"type":"attach","process_id":{{process}},"offset":2}""");
        Assert.Equal(2, (await second.ReceiveAsync())!.Value.GetProperty("offset").GetInt64());
        (string output, JsonElement exit) = await second.ToEndAsync("exit");
        Assert.Equal(("llo\nbye\n", 4), (output, exit.GetProperty("exit_code").GetInt32()));
    }

    [Fact]
    public async Task What_cannot_be_done_is_said_before_the_socket_closes()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using (ExecConversation unknown = await ExecConversation.OpenAsync(server, "sb-0000000000000000"))
        {
            await unknown.SendAsync("""{"type":"start","command":"true"}""");
            Assert.Equal("NOT_FOUND", (await unknown.ReceiveAsync())!.Value.GetProperty("code").GetString());
            Assert.Null(await unknown.ReceiveAsync());
            Assert.Equal(WebSocketCloseStatus.InternalServerError, unknown.CloseStatus);
        }
        using ExecConversation garbled = await ExecConversation.OpenAsync(server, id);
        await garbled.SendAsync("no json");
        Assert.Null(await garbled.ReceiveAsync());
        Assert.Equal(WebSocketCloseStatus.InvalidPayloadData, garbled.CloseStatus);
    }
}
