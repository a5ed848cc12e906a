using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Protocol.Problems;
using StacyVM.Tests.Server.Scripted;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Commands over plain HTTP: whole, as lines, in the background.</summary>
public sealed class ExecTests
{
    [Fact]
    public async Task A_whole_exec_answers_code_output_and_duration()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        (int status, JsonElement body) = await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"echo hi"}""");
        Assert.Equal(200, status);
        Assert.Equal(["exit_code", "stdout", "stderr", "duration"], body.EnumerateObject().Select(field => field.Name));
        Assert.Equal((0, "hi\n", ""), (body.GetProperty("exit_code").GetInt32(), body.GetProperty("stdout").GetString(), body.GetProperty("stderr").GetString()));
        Assert.Matches("^[0-9.]+(ns|µs|ms|s)$", body.GetProperty("duration").GetString());
        Assert.Equal(7, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"exit 7"}""")).Body.GetProperty("exit_code").GetInt32());
    }

    [Theory]
    [InlineData("""{"command":"x","mode":"odd"}""", 400)]
    [InlineData("""{"mode":"argv"}""", 400)]
    [InlineData("""{"command":"x","timeout":"soon"}""", 400)]
    [InlineData("""{"command":"x","timeout":"1000h"}""", 429)]
    [InlineData("""{"command":"timeout"}""", 408)]
    [InlineData("""{"command":"x","mode":"odd","stream":true}""", 400)]
    public async Task What_cannot_be_run_is_told_before_anything_runs(string body, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        Assert.Equal(status, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", body)).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "sandboxes/sb-unknown/exec", """{"command":"x"}""")).Status);
    }

    [Fact]
    public async Task Hundreds_of_megabytes_of_output_are_one_answer()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        Task<HttpResponseMessage> answering = server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"much"}""");
        ScriptedSession session = server.Provider[id].Sessions.Take();
        byte[] piece = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("päöü\u0001\"\\ \n", 8192)));
        const int pieces = 300;
        for (int i = 0; i < pieces; i++)
            await session.WriteOutputAsync(piece, default);
        session.End(3);
        using HttpResponseMessage answer = await answering;
        using JsonDocument body = await JsonDocument.ParseAsync(await answer.Content.ReadAsStreamAsync());
        Assert.Equal(3, body.RootElement.GetProperty("exit_code").GetInt32());
        Assert.Equal("", body.RootElement.GetProperty("stderr").GetString());
        string stdout = body.RootElement.GetProperty("stdout").GetString()!;
        Assert.Equal(pieces * (long)Encoding.UTF8.GetString(piece).Length, stdout.Length);
        Assert.StartsWith("päöü\u0001\"\\ \n", stdout);
        Assert.EndsWith("päöü\u0001\"\\ \n", stdout);
    }

    [Fact]
    public async Task Lines_come_as_output_comes_and_end_with_the_code()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"talk","stream":true}""");
        Assert.Equal("application/x-ndjson", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("no-cache", answer.Headers.CacheControl!.ToString());
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        ScriptedSession session = server.Provider[id].Sessions.Take();
        session.Write("one"u8.ToArray());
        Assert.Equal("""{"stream":"stdout","data":"one"}""", await lines.ReadLineAsync());
        session.Write("two"u8.ToArray(), isError: true);
        Assert.Equal("""{"stream":"stderr","data":"two"}""", await lines.ReadLineAsync());
        session.End(5);
        Assert.Equal("""{"stream":"stdout","data":"","exit_code":5,"duration":"1.5ms"}""", await lines.ReadLineAsync());
        Assert.Null(await lines.ReadLineAsync());
    }

    [Fact]
    public async Task A_character_torn_between_pieces_stays_whole()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"talk","stream":true}""");
        ScriptedSession session = server.Provider[id].Sessions.Take();
        byte[] text = Encoding.UTF8.GetBytes("a€😀z");
        foreach (byte one in text)
            session.Write([one]);
        session.Write([0xFF, 0xE2, 0x82]);
        session.End(0);
        string body = await answer.Content.ReadAsStringAsync();
        string all = string.Concat(body.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonDocument.Parse(line).RootElement.GetProperty("data").GetString()));
        Assert.Equal("a€😀z\uFFFD\uFFFD", all);
    }

    [Fact]
    public async Task A_timeout_is_a_line_and_a_code()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"timeout","stream":true}""");
        string[] lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(
            ["""{"stream":"stdout","data":"part"}""", $$"""{"stream":"stderr","data":"exec timeout: {{id}}"}""",
             """{"stream":"stdout","data":"","exit_code":137,"duration":"1.5ms","code":"TIMEOUT"}"""],
            lines);
    }

    [Fact]
    public async Task A_sandbox_that_goes_in_the_middle_is_told_in_the_stream()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"talk","stream":true}""");
        server.Provider[id].Sessions.Take().Break(new StacyVMException(ProblemKind.SandboxGone, id));
        string[] lines = (await answer.Content.ReadAsStringAsync()).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Contains("sandbox gone", lines[0]);
        Assert.Equal("""{"stream":"stdout","data":"","code":"UNAVAILABLE"}""", lines[^1]);
    }

    [Fact]
    public async Task Silence_is_filled_with_blank_lines()
    {
        var time = new FakeTimeProvider();
        await using RunningServer server = await RunningServer.StartAsync(time: time);
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"talk","stream":true}""");
        Task<string?> line = new StreamReader(await answer.Content.ReadAsStreamAsync()).ReadLineAsync();
        // The timer is armed a moment after the headers are out; until then the clock finds nothing to fire.
        while (!line.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(15));
            await Task.WhenAny(line, Task.Delay(5));
        }
        Assert.Equal("", await line);
    }

    [Fact]
    public async Task A_client_that_goes_away_ends_its_command()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        foreach (string body in new[] { """{"command":"wait","stream":true}""", """{"command":"wait"}""" })
        {
            using var impatience = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Post, $"sandboxes/{id}/exec") { Content = new StringContent(body) };
            Task<HttpResponseMessage> asking = server.Http.SendAsync(request, impatience.Token);
            ScriptedSession session = server.Provider[id].Sessions.Take();
            await impatience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
            await session.Killed.WaitAsync(TimeSpan.FromSeconds(10));
        }
    }

    [Fact]
    public async Task A_reader_that_stops_makes_its_command_wait_and_nobody_else()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage stalled = await server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"flood","stream":true}""");
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
        Assert.True(written < 64L << 20, $"{written >> 20} MiB went into a stream that nobody reads");
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"echo free"}""")).Status);
    }

    [Fact]
    public async Task A_background_command_is_listed_followed_signalled_and_killed()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        (int status, JsonElement started) = await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"serve","background":true}""");
        Assert.Equal((201, true), (status, started.GetProperty("running").GetBoolean()));
        long number = started.GetProperty("process_id").GetInt64();
        ScriptedSession session = server.Provider[id].Sessions.Take();
        Assert.True(session.Spec.Detached);
        session.Write("héllo"u8.ToArray());

        JsonElement listed = (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/processes")).Body;
        Assert.Equal(6, listed[0].GetProperty("output_bytes").GetInt64());
        Assert.Equal("serve", (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/processes/{number}")).Body.GetProperty("command").GetString());
        using (HttpResponseMessage output = await server.AnswerAsync(HttpMethod.Get, $"sandboxes/{id}/processes/{number}/output?offset=1"))
            Assert.Equal("""{"stream":"stdout","data":"éllo","offset":6}""" + "\n", await output.Content.ReadAsStringAsync());
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/processes/{number}/signal", """{"signal":"SIGINT"}""")).Status);
        Assert.Equal(2, await session.Received.ReadAsync());
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/processes/{number}/signal", """{"signal":"SIGNOTHING"}""")).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Delete, $"sandboxes/{id}/processes/{number}")).Status);
        await session.Killed;
        session.End(137);
        using (HttpResponseMessage output = await server.AnswerAsync(HttpMethod.Get, $"sandboxes/{id}/processes/{number}/output?follow=true"))
            Assert.EndsWith("""{"stream":"stdout","data":"","exit_code":137,"duration":"1.5ms","offset":6}""" + "\n", await output.Content.ReadAsStringAsync());
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/processes/99")).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/processes/first")).Status);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/processes/{number}/output?offset=-1")).Status);
    }

    [Fact]
    public async Task Streams_end_with_a_word_when_the_server_stops()
    {
        RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"wait","stream":true}""");
        using HttpResponseMessage events = await server.AnswerAsync(HttpMethod.Get, "events");
        long start = TimeProvider.System.GetTimestamp();
        await server.Server.StopAsync();
        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(3));
        Assert.EndsWith("""{"stream":"stdout","data":"","code":"UNAVAILABLE"}""" + "\n", await answer.Content.ReadAsStringAsync());
        Assert.EndsWith(": the server is stopping\n\n", await events.Content.ReadAsStringAsync());
        await server.DisposeAsync();
    }
}
