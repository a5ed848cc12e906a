using System.Net;
using System.Net.WebSockets;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Api;

/// <summary>Keys, one-time tickets, health for strangers and for those who are known, and what the levels say.</summary>
public sealed class AccessTests
{
    private const string Key = "client-key-of-some-length";

    [Fact]
    public async Task A_ticket_opens_one_socket_and_one_stream_of_events_once()
    {
        await using PublishedServer server = await KeyedAsync();
        string id = await server.SpawnAsync();
        string ticket = await TicketAsync(server);
        using (ExecConversation socket = await ExecConversation.OpenAsync(server, id, $"?ticket={ticket}"))
        {
            await socket.SendAsync("""{"command":"echo let in"}""");
            Assert.Equal("let in\n", (await socket.ToEndAsync("done")).Output);
        }
        await Assert.ThrowsAsync<WebSocketException>(() => ExecConversation.OpenAsync(server, id, $"?ticket={ticket}"));
        await Assert.ThrowsAsync<WebSocketException>(() => ExecConversation.OpenAsync(server, id));

        string second = await TicketAsync(server);
        using HttpClient stranger = Stranger(server);
        using (HttpResponseMessage events = await stranger.GetAsync($"events?ticket={second}", HttpCompletionOption.ResponseHeadersRead))
            Assert.Equal(HttpStatusCode.OK, events.StatusCode);
        using (HttpResponseMessage again = await stranger.GetAsync($"events?ticket={second}", HttpCompletionOption.ResponseHeadersRead))
            Assert.Equal(HttpStatusCode.Unauthorized, again.StatusCode);
        // Elsewhere a ticket is nothing.
        using HttpResponseMessage list = await stranger.GetAsync($"sandboxes?ticket={await TicketAsync(server)}");
        Assert.Equal(HttpStatusCode.Unauthorized, list.StatusCode);
        Assert.DoesNotContain(ticket, server.Log);
    }

    [Fact]
    public async Task Health_is_open_and_says_more_to_who_has_the_key()
    {
        await using PublishedServer server = await KeyedAsync();
        using HttpClient stranger = Stranger(server);
        foreach (string path in new[] { "health", "live", "ready" })
        {
            await server.AnswersAsync(path);
            JsonElement little = JsonDocument.Parse(await stranger.GetStringAsync(path)).RootElement;
            Assert.Equal(["status"], little.EnumerateObject().Select(field => field.Name));
            Assert.True((await server.GetAsync(path)).TryGetProperty("version", out _));
        }
        JsonElement ready = await server.GetAsync("ready");
        Assert.Equal("ready", ready.GetProperty("status").GetString());
        Assert.Equal("bubblewrap", ready.GetProperty("providers")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task Levels_say_whether_they_work_what_they_can_and_what_they_enforce()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        JsonElement tested = await server.PostAsync("providers/test", "{}");
        Assert.True(tested.GetProperty("bubblewrap").GetBoolean(), tested.GetRawText());
        JsonElement detail = await server.GetAsync("providers/bubblewrap");
        Assert.True(detail.GetProperty("healthy").GetBoolean());
        JsonElement health = detail.GetProperty("health");
        foreach (string aspect in new[] { "namespaces", "seccomp", "memory", "cpu", "pids", "disk", "user", "network" })
            Assert.NotEmpty(health.GetProperty("enforced").GetProperty(aspect).GetString()!);
        Assert.Equal("host", health.GetProperty("images")[0].GetString());
        Assert.Contains("bubblewrap", (await server.GetAsync("providers")).EnumerateArray().Select(row => row.GetProperty("name").GetString()));
        using HttpResponseMessage unknown = await server.Http.GetAsync("providers/nonesuch");
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }

    private static async Task<PublishedServer> KeyedAsync()
    {
        PublishedServer server = await PublishedServer.StartAsync(environment: new() { ["STACYVM_AUTH_API_KEY"] = Key });
        server.Http.DefaultRequestHeaders.Add("X-API-Key", Key);
        return server;
    }

    private static HttpClient Stranger(PublishedServer server) => new(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Http.BaseAddress };

    private static async Task<string> TicketAsync(PublishedServer server) =>
        (await server.PostAsync("tickets", "")).GetProperty("ticket").GetString()!;
}
