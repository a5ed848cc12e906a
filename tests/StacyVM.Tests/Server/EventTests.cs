using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>The stream of events.</summary>
public sealed class EventTests
{
    [Fact]
    public async Task Events_come_as_id_and_data_lines()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "events");
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType!.ToString());
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        Assert.Equal(": connected", await lines.ReadLineAsync());
        Assert.Equal("", await lines.ReadLineAsync());
        string id = await server.SpawnAsync();
        foreach (string type in new[] { "sandbox.created", "sandbox.running" })
        {
            string name = (await lines.ReadLineAsync())!;
            string data = (await lines.ReadLineAsync())!;
            Assert.Equal("", await lines.ReadLineAsync());
            Assert.StartsWith("id: evt-", name);
            JsonElement message = JsonDocument.Parse(data["data: ".Length..]).RootElement;
            Assert.Equal((name["id: ".Length..], type, id), (message.GetProperty("id").GetString(), message.GetProperty("type").GetString(), message.GetProperty("sandbox_id").GetString()));
        }
    }

    [Theory]
    [InlineData("Last-Event-ID", "")]
    [InlineData(null, "?after=evt-1")]
    public async Task Who_comes_back_gets_what_was_missed(string? header, string query)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "events" + query, null, header is null ? [] : [(header, "evt-1")]);
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        await lines.ReadLineAsync();
        await lines.ReadLineAsync();
        Assert.Equal("id: evt-2", await lines.ReadLineAsync());
    }

    [Fact]
    public async Task Filters_let_through_what_they_name()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.SpawnAsync();
        string second = await server.SpawnAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, $"events?after=evt-0&type=sandbox.running,exec.started&sandbox_id={second}");
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        string? line;
        do
            line = await lines.ReadLineAsync();
        while (line?.StartsWith("data:", StringComparison.Ordinal) == false);
        Assert.Contains("\"type\":\"sandbox.running\"", line);
        Assert.Contains(second, line);
    }

    [Fact]
    public async Task Silence_is_filled_with_comments()
    {
        var time = new FakeTimeProvider();
        await using RunningServer server = await RunningServer.StartAsync(time: time);
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "events");
        using var lines = new StreamReader(await answer.Content.ReadAsStreamAsync());
        await lines.ReadLineAsync();
        await lines.ReadLineAsync();
        Task<string?> line = lines.ReadLineAsync();
        while (!line.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(15));
            await Task.WhenAny(line, Task.Delay(5));
        }
        Assert.Equal(": keep-alive", await line);
    }
}
