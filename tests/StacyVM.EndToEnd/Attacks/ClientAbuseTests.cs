using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Attacks;

/// <summary>Clients that never read, that trickle, that vanish: bounded memory, the command ended, nobody else disturbed.</summary>
public sealed class ClientAbuseTests
{
    [Fact]
    public async Task Clients_that_never_read_cost_bounded_memory_and_stall_nobody()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        await server.OutputAsync(id, "true");
        long before = server.ResidentBytes();

        var silent = new List<TcpClient>();
        for (int i = 0; i < 20; i++)
            silent.Add(await SendAsync(server, $"sandboxes/{id}/exec", """{"command":"head -c 1G /dev/zero | tr '\\0' x","stream":true}"""));
        for (int i = 0; i < 50; i++)
            Assert.Equal("free\n", await server.OutputAsync(id, "echo free"));

        long grown = server.ResidentBytes() - before;
        Assert.True(grown < 200L << 20, $"20 silent readers grew the server by {grown >> 20} MB");
        foreach (TcpClient client in silent)
            client.Dispose();
        await NothingRunsAsync(server, id, "head");
    }

    [Fact]
    public async Task A_client_that_vanishes_ends_its_command_with_all_its_children()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        TcpClient client = await SendAsync(server, $"sandboxes/{id}/exec",
            """{"command":"(setsid sleep 4242 &) ; trap '' TERM HUP; (sleep 4242 & sleep 4242)","stream":true}""");
        await RunsAsync(server, id, "sleep 4242");
        client.Dispose();
        await NothingRunsAsync(server, id, "sleep 4242");
    }

    [Fact]
    public async Task A_request_that_trickles_in_holds_up_nobody()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        var slow = new List<TcpClient>();
        for (int i = 0; i < 30; i++)
        {
            var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", server.Port);
            await client.GetStream().WriteAsync(Encoding.ASCII.GetBytes(
                $"PUT /api/v1/sandboxes/{id}/files?path=/workspace/slow{i} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"));
            slow.Add(client);
        }
        for (int i = 0; i < 10; i++)
        {
            foreach (TcpClient client in slow)
                await client.GetStream().WriteAsync("x"u8.ToArray());
            Assert.Equal("free\n", await server.OutputAsync(id, "echo free"));
        }
        foreach (TcpClient client in slow)
            client.Dispose();
        // What was half uploaded never appears, and its temporary files go.
        await EventuallyAsync(async () => await server.OutputAsync(id, "ls -A /workspace | wc -l") == "0\n");
    }

    [Fact]
    public async Task Ten_thousand_orphans_leave_no_zombie()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        await server.ExecAsync(id, "for i in $(seq 10000); do (true &) ; done; wait", "2m");
        string zombies = await server.OutputAsync(id, "grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l");
        Assert.Equal("0\n", zombies);
    }

    [Fact]
    public async Task A_timeout_kills_whatever_the_command_has_done_to_escape_it()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        string[] escapes =
        [
            "setsid sleep 5151",
            "(setsid sleep 5151 &) ; sleep 5151",
            "trap '' TERM INT HUP; while true; do sleep 5151; done",
            "nohup sleep 5151 & (nohup setsid sh -c 'trap \"\" TERM; sleep 5151' &) ; sleep 5151",
            "python3 -c 'import os,time\nif os.fork()==0:\n os.setsid()\n if os.fork()==0:\n  time.sleep(5151)\n os._exit(0)\ntime.sleep(5151)'",
        ];
        foreach (string escape in escapes)
        {
            using HttpResponseMessage answer = await server.Http.PostAsync($"sandboxes/{id}/exec",
                new StringContent(JsonSerializer.Serialize(new { command = escape, timeout = "300ms" })));
            Assert.Equal(408, (int)answer.StatusCode);
            await NothingRunsAsync(server, id, "5151");
        }
    }

    private static async Task<TcpClient> SendAsync(PublishedServer server, string path, string body)
    {
        var client = new TcpClient { ReceiveBufferSize = 4096 };
        await client.ConnectAsync("127.0.0.1", server.Port);
        await client.GetStream().WriteAsync(Encoding.UTF8.GetBytes(
            $"POST /api/v1/{path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {Encoding.UTF8.GetByteCount(body)}\r\n\r\n{body}"));
        return client;
    }

    // The pattern's own shell is excluded by the bracket.
    private static Task<string> CountAsync(PublishedServer server, string id, string pattern) =>
        server.OutputAsync(id, $"cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c '[{pattern[0]}]{pattern[1..]}' || true");

    private static Task RunsAsync(PublishedServer server, string id, string pattern) =>
        EventuallyAsync(async () => await CountAsync(server, id, pattern) != "0\n");

    private static Task NothingRunsAsync(PublishedServer server, string id, string pattern) =>
        EventuallyAsync(async () => await CountAsync(server, id, pattern) == "0\n");

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!await holds())
            await Task.Delay(20, bound.Token);
    }
}
