using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Api;

/// <summary>Output as it comes and events as they happen, with what was missed.</summary>
public sealed class StreamTests
{
    [Fact]
    public async Task Lines_of_output_come_while_the_command_runs()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"sandboxes/{id}/exec")
        {
            Content = new StringContent("""{"command":"echo first; while ! [ -e /workspace/go ]; do sleep 0.02; done; echo péché >&2; exit 6","stream":true}"""),
        };
        using HttpResponseMessage answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.ToString());
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal("""{"stream":"stdout","data":"first\n"}""", await lines.ReadLineAsync());
        // Only now may it go on: the line before has come out of a running command.
        await server.OutputAsync(id, "touch /workspace/go");
        JsonElement error = JsonDocument.Parse((await lines.ReadLineAsync())!).RootElement;
        Assert.Equal(("stderr", "péché\n"), (error.GetProperty("stream").GetString(), error.GetProperty("data").GetString()));
        JsonElement last = JsonDocument.Parse((await lines.ReadLineAsync())!).RootElement;
        Assert.Equal(6, last.GetProperty("exit_code").GetInt32());
        Assert.Null(await lines.ReadLineAsync());
    }

    [Fact]
    public async Task A_timeout_in_a_stream_is_its_last_line()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.Http.PostAsync($"sandboxes/{id}/exec", new StringContent("""{"command":"echo part; sleep 60","stream":true,"timeout":"300ms"}"""));
        string[] lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("""{"stream":"stdout","data":"part\n"}""", lines[0]);
        Assert.Contains("\"code\":\"TIMEOUT\"", lines[^1]);
    }

    [Fact]
    public async Task Who_comes_back_with_the_last_event_id_gets_exactly_what_was_missed()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string first = await server.SpawnAsync();
        string lastSeen;
        using (EventReader events = await EventReader.OpenAsync(server, "events?after=evt-0"))
        {
            Assert.Equal(("sandbox.created", first), Named((await events.NextAsync()).Data));
            (lastSeen, JsonElement running) = await events.NextAsync();
            Assert.Equal(("sandbox.running", first), Named(running));
        }

        string second = await server.SpawnAsync();
        await server.OutputAsync(second, "true");
        await server.DestroyAsync(second);

        using EventReader again = await EventReader.OpenAsync(server, $"events?sandbox_id={second}", lastSeen);
        string[] expected = ["sandbox.created", "sandbox.running", "exec.started", "exec.completed", "sandbox.destroyed"];
        foreach (string type in expected)
            Assert.Equal((type, second), Named((await again.NextAsync()).Data));
        // And from there on what happens.
        string third = await server.SpawnAsync();
        using EventReader filtered = await EventReader.OpenAsync(server, "events?type=sandbox.destroyed");
        await server.DestroyAsync(third);
        Assert.Equal(("sandbox.destroyed", third), Named((await filtered.NextAsync()).Data));
    }

    private static (string?, string?) Named(JsonElement data) => (data.GetProperty("type").GetString(), data.GetProperty("sandbox_id").GetString());

    /// <summary>Server-sent events, read line by line.</summary>
    private sealed class EventReader(HttpResponseMessage answer, StreamReader lines) : IDisposable
    {
        public static async Task<EventReader> OpenAsync(PublishedServer server, string path, string? lastEventId = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            if (lastEventId is not null)
                request.Headers.Add("Last-Event-ID", lastEventId);
            HttpResponseMessage answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.ToString());
            var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
            Assert.Equal(": connected", await lines.ReadLineAsync());
            return new EventReader(answer, lines);
        }

        public async Task<(string Id, JsonElement Data)> NextAsync()
        {
            using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(20));
            string id = "";
            while (await lines.ReadLineAsync(bound.Token) is { } line)
            {
                if (line.StartsWith("id: ", StringComparison.Ordinal))
                    id = line[4..];
                else if (line.StartsWith("data: ", StringComparison.Ordinal))
                    return (id, JsonDocument.Parse(line[6..]).RootElement);
            }
            throw new InvalidOperationException("the stream of events ended");
        }

        public void Dispose()
        {
            lines.Dispose();
            answer.Dispose();
        }
    }
}
