using System.Net;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Api;

/// <summary>Processes in the background: listed, replayed, followed, signalled, killed.</summary>
public sealed class ProcessTests
{
    [Fact]
    public async Task Output_is_replayed_from_any_offset_and_followed_to_the_end()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        long process = await BackgroundAsync(server, id, "echo one; while ! [ -e /workspace/go ]; do sleep 0.02; done; echo two; exit 8");
        await Eventually.HoldsAsync(async () => (await ProcessAsync(server, id, process)).GetProperty("output_bytes").GetInt64() == 4, "the first line is out", server);
        Assert.Equal("ne\n", (await OutputAsync(server, id, process, "offset=1")).Text);

        Task<(string Text, JsonElement Last)> following = OutputAsync(server, id, process, "offset=0&follow=true");
        await server.OutputAsync(id, "touch /workspace/go");
        (string text, JsonElement last) = await following;
        Assert.Equal(("one\ntwo\n", 8, 8), (text, last.GetProperty("exit_code").GetInt32(), last.GetProperty("offset").GetInt32()));
        // Its code and its output are still known when it has ended.
        Assert.Equal("two\n", (await OutputAsync(server, id, process, "offset=4")).Text);
        JsonElement ended = await ProcessAsync(server, id, process);
        Assert.Equal((false, 8), (ended.GetProperty("running").GetBoolean(), ended.GetProperty("exit_code").GetInt32()));
    }

    [Fact]
    public async Task A_process_is_listed_signalled_and_killed_with_its_children()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        long polite = await BackgroundAsync(server, id, "trap 'exit 21' TERM; echo set; while true; do sleep 0.02; done");
        long stubborn = await BackgroundAsync(server, id, "trap '' TERM INT HUP; (setsid sleep 6262 &); sleep 6262 & wait; while true; do sleep 6262; done");
        await Eventually.HoldsAsync(async () => (await ProcessAsync(server, id, polite)).GetProperty("output_bytes").GetInt64() == 4, "the trap is set", server);
        Assert.Equal([polite, stubborn], (await server.GetAsync($"sandboxes/{id}/processes")).EnumerateArray().Select(row => row.GetProperty("process_id").GetInt64()).Order());

        await server.PostAsync($"sandboxes/{id}/processes/{polite}/signal", """{"signal":"TERM"}""");
        await EndedAsync(server, id, polite, 21);
        using (HttpResponseMessage killed = await server.Http.DeleteAsync($"sandboxes/{id}/processes/{stubborn}"))
            Assert.Equal(HttpStatusCode.OK, killed.StatusCode);
        await EndedAsync(server, id, stubborn, 137);
        Assert.Equal("0\n", await server.OutputAsync(id, "cat /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' ' ' | grep -c '[6]262' || true"));
        using HttpResponseMessage unknown = await server.Http.GetAsync($"sandboxes/{id}/processes/4711");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    [Fact]
    public async Task Statistics_and_the_console_are_there()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync("""{"ttl":"10m","memory_mb":128}""");
        JsonElement stats = await server.GetAsync($"sandboxes/{id}/stats");
        Assert.True(stats.GetProperty("supported").GetBoolean());
        Assert.True(stats.GetProperty("mem_bytes").GetInt64() > 0, stats.GetRawText());
        Assert.Equal(JsonValueKind.Array, (await server.GetAsync($"sandboxes/{id}/logs")).ValueKind);
    }

    private static Task EndedAsync(PublishedServer server, string id, long process, int code) => Eventually.HoldsAsync(
        async () => (await ProcessAsync(server, id, process)) is var row && !row.GetProperty("running").GetBoolean() && row.GetProperty("exit_code").GetInt32() == code,
        $"process {process} has ended with {code}", server);

    private static Task<JsonElement> ProcessAsync(PublishedServer server, string id, long process) => server.GetAsync($"sandboxes/{id}/processes/{process}");

    private static async Task<long> BackgroundAsync(PublishedServer server, string id, string command)
    {
        JsonElement started = await server.PostAsync($"sandboxes/{id}/exec", JsonSerializer.Serialize(new { command, background = true }));
        Assert.True(started.GetProperty("running").GetBoolean());
        return started.GetProperty("process_id").GetInt64();
    }

    private static async Task<(string Text, JsonElement Last)> OutputAsync(PublishedServer server, string id, long process, string query)
    {
        using HttpResponseMessage answer = await server.Http.GetAsync($"sandboxes/{id}/processes/{process}/output?{query}");
        JsonElement[] lines = [.. (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement)];
        return (string.Concat(lines.Select(line => line.GetProperty("data").GetString())), lines[^1]);
    }
}
