using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Faults;

/// <summary>What a sandbox and its processes see of a server that is killed: nothing.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task After_kill_9_every_sandbox_answers_and_a_background_process_ran_on()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string[] ids = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => server.SpawnAsync()));
        JsonElement counter = await server.PostAsync($"sandboxes/{ids[0]}/exec",
            """{"command":"i=0; while true; do echo line $i; i=$((i+1)); sleep 0.05; done","background":true}""");
        long process = counter.GetProperty("process_id").GetInt64();
        Task<HttpResponseMessage>[] running = [.. ids.Select(id =>
            server.Http.PostAsync($"sandboxes/{id}/exec", new StringContent("""{"command":"sleep 30"}""")))];
        await Task.WhenAll(ids.Select(id => ProcessAppearsAsync(server, id, "sleep 30")));

        await server.KillAsync();
        await Task.WhenAll(running.Select(call => Assert.ThrowsAnyAsync<HttpRequestException>(() => call)));
        await server.StartAgainAsync();

        string[] outputs = await Task.WhenAll(ids.Select(id => server.OutputAsync(id, "echo alive")));
        Assert.All(outputs, output => Assert.Equal("alive\n", output));

        using HttpResponseMessage replay = await server.Http.GetAsync($"sandboxes/{ids[0]}/processes/{process}/output?offset=0&follow=false");
        string lines = string.Concat((await replay.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetString()));
        Assert.StartsWith("line 0\nline 1\n", lines);
        string last = lines.TrimEnd('\n').Split('\n')[^1];
        JsonElement again = await server.GetAsync($"sandboxes/{ids[0]}/processes/{process}");
        Assert.True(again.GetProperty("running").GetBoolean(), $"the counter stopped at {last}");
    }

    [Fact]
    public async Task Expiry_holds_across_a_kill()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string brief = await server.SpawnAsync("""{"ttl":"3s"}""");
        string kept = await server.SpawnAsync("""{"ttl":"10m"}""");

        await server.KillAsync();
        await server.StartAgainAsync();

        await Eventually.HoldsAsync(
            async () => (await server.Http.GetAsync($"sandboxes/{brief}")).StatusCode == System.Net.HttpStatusCode.NotFound,
            $"{brief} has expired", server);
        Assert.Equal("running", (await server.GetAsync($"sandboxes/{kept}")).GetProperty("state").GetString());
    }

    [Fact]
    public async Task Ten_kills_at_random_points_of_create_and_destroy_leave_nothing_and_no_false_row()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        var random = new Random(20261123);
        for (int round = 0; round < 10; round++)
        {
            string[] alive = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => server.SpawnAsync()));
            Task[] storm =
            [
                .. Enumerable.Range(0, 6).Select(_ => Ignored(server.Http.PostAsync("sandboxes", new StringContent("""{"ttl":"10m"}""")))),
                .. alive.Take(2).Select(id => Ignored(server.Http.DeleteAsync($"sandboxes/{id}"))),
            ];
            await Task.Delay(random.Next(0, 60));
            await server.KillAsync();
            await Task.WhenAll(storm);
            await server.StartAgainAsync();
            await Eventually.RowsAreTrueAsync(server);
            JsonElement rows = await server.GetAsync("sandboxes");
            await Task.WhenAll(rows.EnumerateArray().Select(row => server.DestroyAsync(row.GetProperty("id").GetString()!)));
            await Leaks.NoneAsync(server);
        }
    }

    [Fact]
    public async Task A_client_in_the_middle_of_a_stream_learns_of_a_stop_within_five_seconds()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"sandboxes/{id}/exec")
        {
            Content = new StringContent("""{"command":"while true; do echo tick; sleep 0.1; done","stream":true}"""),
        };
        using HttpResponseMessage answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.NotNull(await reader.ReadLineAsync());

        Task stop = server.StopAsync();
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            while (await reader.ReadLineAsync(bound.Token) is not null)
            {
            }
        }
        catch (IOException)
        {
            // A broken stream is an end, too; a hang is not.
        }
        await stop;
    }

    private static Task ProcessAppearsAsync(PublishedServer server, string id, string command) => Eventually.HoldsAsync(
        async () => (await server.GetAsync($"sandboxes/{id}/processes")).EnumerateArray()
            .Any(row => row.GetProperty("command").GetString()!.Contains(command, StringComparison.Ordinal)),
        $"{id} runs {command}", server);

    private static async Task Ignored(Task<HttpResponseMessage> call)
    {
        try
        {
            (await call).Dispose();
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException)
        {
            // The server was killed under it: that is the point.
        }
    }
}
