using System.Net.WebSockets;
using System.Text.Json;
using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary><c>auth.owner_isolation</c>: whoever is not the owner of a sandbox cannot tell that it exists.</summary>
public sealed class OwnerIsolationTests
{
    private const string Client = "client-key-of-some-length";
    private const string Admin = "admin-key-of-some-length";

    private static readonly AuthOptions Isolated = new() { ApiKey = Client, AdminApiKey = Admin, OwnerIsolation = true };

    public static TheoryData<string?> Intruders => new() { { "mallory" }, { null as string } };

    [Theory]
    [MemberData(nameof(Intruders))]
    public async Task Every_sandbox_route_answers_404_to_who_is_not_the_owner(string? intruder)
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated);
        string id = await SpawnAsync(server, "alice");
        int walked = 0;
        List<string> faults = [];
        foreach ((string method, string pattern, _) in ServerRoutes.Of(server.Server).Where(route => route.Pattern.Contains("/sandboxes/{id}")))
        {
            walked++;
            if (pattern.EndsWith("/ws", StringComparison.Ordinal))
                continue;
            using HttpRequestMessage request = ServerRoutes.Request(method, pattern, id);
            foreach ((string name, string value) in As(intruder))
                request.Headers.Add(name, value);
            using HttpResponseMessage answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            if ((int)answer.StatusCode != 404)
                faults.Add($"{method} {pattern} answered {(int)answer.StatusCode}");
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(walked >= 24, $"only {walked} routes");
        Assert.Equal("running", (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}", null, As("alice"))).Body.GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_socket_to_another_owners_sandbox_is_not_opened_and_a_ticket_is_no_way_around()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated);
        string id = await SpawnAsync(server, "alice");
        using var socket = new ClientWebSocket();
        foreach ((string name, string value) in As("mallory"))
            socket.Options.SetRequestHeader(name, value);
        socket.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => socket.ConnectAsync(Socket(server, id), default));
        Assert.Equal(404, (int)socket.HttpStatusCode);

        string ticket = (await server.SendAsync(HttpMethod.Post, "tickets", null, As("mallory"))).Body.GetProperty("ticket").GetString()!;
        using var second = new ClientWebSocket();
        second.Options.SetRequestHeader("X-User-ID", "alice");
        second.Options.CollectHttpResponseDetails = true;
        await Assert.ThrowsAsync<WebSocketException>(() => second.ConnectAsync(new Uri(Socket(server, id) + "?ticket=" + ticket), default));
        Assert.Equal(404, (int)second.HttpStatusCode);
    }

    [Fact]
    public async Task Lists_show_each_owner_its_own_and_who_names_no_user_what_nobody_owns()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated);
        string alices = await SpawnAsync(server, "alice");
        string bobs = await SpawnAsync(server, "bob");
        string nobodys = await SpawnAsync(server, null);
        Assert.Equal([alices], await ListAsync(server, As("alice")));
        Assert.Equal([bobs], await ListAsync(server, As("bob")));
        Assert.Equal([nobodys], await ListAsync(server, As(null)));
        Assert.Equal(new[] { alices, bobs, nobodys }.Order(), (await ListAsync(server, [("X-API-Key", Admin), ("X-User-ID", "root")])).Order());
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{alices}", null, ("X-Admin-API-Key", Admin))).Status);
    }

    [Fact]
    public async Task Events_of_other_owners_do_not_arrive()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated);
        string alices = await SpawnAsync(server, "alice");
        string bobs = await SpawnAsync(server, "bob");
        server.Engine.Events.Publish("quota.saved", data: new Dictionary<string, string> { ["owner_id"] = "bob" });
        string last = await SpawnAsync(server, "alice");
        List<string> seen = await EventsAsync(server, As("alice"), last);
        Assert.Contains(seen, line => line.Contains(alices));
        Assert.DoesNotContain(seen, line => line.Contains(bobs));
        Assert.DoesNotContain(seen, line => line.Contains("quota.saved"));
        Assert.Contains(await EventsAsync(server, [("X-API-Key", Admin)], last), line => line.Contains(bobs));
    }

    [Fact]
    public async Task Prune_answers_the_client_key_and_ends_only_what_it_may_see()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated);
        await SpawnAsync(server, "alice");
        (int status, JsonElement body) = await server.SendAsync(HttpMethod.Delete, "sandboxes", null, As("mallory"));
        Assert.Equal((200, 0), (status, body.GetProperty("pruned").GetInt32()));
    }

    [Fact]
    public async Task Destroying_ones_own_twice_is_no_error_and_an_unknown_one_is_not_found()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated);
        string id = await SpawnAsync(server, "alice");
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Delete, $"sandboxes/{id}", null, As("alice"))).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Delete, $"sandboxes/{id}", null, As("alice"))).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Delete, $"sandboxes/{id}", null, As("mallory"))).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Delete, "sandboxes/sb-unknown", null, As("alice"))).Status);
    }

    [Fact]
    public async Task Nobody_makes_sandboxes_in_anothers_name()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, "sandboxes", """{"owner_id":"alice"}""", As(null))).Status);
        (int status, JsonElement body) = await server.SendAsync(HttpMethod.Post, "sandboxes", """{"owner_id":"alice"}""", As("mallory"));
        Assert.Equal((201, "mallory"), (status, body.GetProperty("owner_id").GetString()));
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, "sandboxes", """{"owner_id":"alice"}""", ("X-API-Key", Admin))).Status);
    }

    [Theory]
    [InlineData("127.0.0.0/8", 200)]
    [InlineData("192.0.2.1", 403)]
    public async Task With_listed_proxies_the_user_is_believed_only_from_those(string proxy, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { TrustedProxies = [proxy] }, Isolated);
        Assert.Equal(status, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, As("alice"))).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, As(null))).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Admin), ("X-User-ID", "alice"))).Status);
    }

    [Fact]
    public async Task Off_owners_are_not_kept_apart()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Isolated with { OwnerIsolation = false });
        string id = await SpawnAsync(server, "alice");
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}", null, As("mallory"))).Status);
        Assert.Equal([id], await ListAsync(server, As("mallory")));
    }

    [Fact]
    public async Task Isolation_holds_on_an_open_server_too()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { OwnerIsolation = true });
        (int status, JsonElement body) = await server.SendAsync(HttpMethod.Post, "sandboxes", "{}", ("X-User-ID", "alice"));
        Assert.Equal(201, status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, "sandboxes/" + body.GetProperty("id").GetString(), null, ("X-User-ID", "mallory"))).Status);
    }

    private static (string, string)[] As(string? user) => user is null ? [("X-API-Key", Client)] : [("X-API-Key", Client), ("X-User-ID", user)];

    private static Uri Socket(RunningServer server, string id) => new($"ws://127.0.0.1:{server.Port}/api/v1/sandboxes/{id}/exec/ws");

    private static async Task<string> SpawnAsync(RunningServer server, string? user)
    {
        (int status, JsonElement body) = await server.SendAsync(HttpMethod.Post, "sandboxes", "{}", As(user));
        Assert.True(status == 201, body.ToString());
        return body.GetProperty("id").GetString()!;
    }

    private static async Task<List<string>> ListAsync(RunningServer server, (string, string)[] headers) =>
        [.. (await server.SendAsync(HttpMethod.Get, "sandboxes", null, headers)).Body.EnumerateArray().Select(info => info.GetProperty("id").GetString()!)];

    /// <summary>What is kept, up to the start of the sandbox.</summary>
    private static async Task<List<string>> EventsAsync(RunningServer server, (string, string)[] headers, string until)
    {
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "events?after=evt-0", null, headers);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync());
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(10));
        List<string> lines = [];
        while (await reader.ReadLineAsync(patience.Token) is { } line)
        {
            lines.Add(line);
            if (line.Contains(until) && line.Contains("sandbox.running"))
                break;
        }
        return lines;
    }
}
