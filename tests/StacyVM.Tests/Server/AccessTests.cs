using System.Net.WebSockets;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Configuration;
using StacyVM.Server.Security;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Who is let in, and to what.</summary>
public sealed class AccessTests
{
    private const string Client = "client-key-of-some-length";
    private const string Admin = "admin-key-of-some-length";

    [Fact]
    public async Task On_loopback_without_a_key_everything_is_open()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.False(server.Server.NeedsKey);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes")).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "admin/providers")).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", "whatever"))).Status);
    }

    [Theory]
    [InlineData(null, null, 401)]
    [InlineData("X-API-Key", "wrong", 401)]
    [InlineData("X-API-Key", Client, 200)]
    [InlineData("X-Admin-API-Key", Client, 200)]
    [InlineData("X-API-Key", Admin, 200)]
    [InlineData("X-Admin-API-Key", Admin, 200)]
    [InlineData("Authorization", "Bearer " + Client, 200)]
    [InlineData("Authorization", "bearer " + Admin, 200)]
    [InlineData("Authorization", "Basic " + Client, 401)]
    [InlineData("Authorization", Client, 401)]
    [InlineData("X-API-Key", Client + " ", 200)]
    [InlineData("X-API-Key", "client-key-of-some-lengt", 401)]
    public async Task A_configured_key_is_needed(string? header, string? value, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client, AdminApiKey = Admin });
        Assert.True(server.Server.NeedsKey);
        (string, string)[] headers = header is null ? [] : [(header, value!)];
        (int given, JsonElement body) = await server.SendAsync(HttpMethod.Get, "sandboxes", null, headers);
        Assert.Equal(status, given);
        if (status == 401)
        {
            Assert.Equal("UNAUTHORIZED", body.GetProperty("code").GetString());
            Assert.Equal("invalid or missing API key", body.GetProperty("message").GetString());
        }
        // A stranger does not learn which paths exist.
        Assert.Equal(status == 200 ? 404 : 401, (await server.SendAsync(HttpMethod.Get, "no/such/path", null, headers)).Status);
    }

    [Theory]
    [InlineData(Client, Admin, true, Client, 403, "admin API key required")]
    [InlineData(Client, Admin, true, Admin, 200, null)]
    [InlineData(Client, "", true, Client, 200, null)]
    [InlineData(Client, "", false, Client, 403, "required authorization scope missing")]
    [InlineData("", Admin, true, Admin, 200, null)]
    public async Task Admin_routes_take_the_admin_key_or_the_client_key_in_its_place(
        string client, string admin, bool fallback, string sent, int status, string? message)
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = client, AdminApiKey = admin, AdminFallbackEnabled = fallback });
        (int given, JsonElement body) = await server.SendAsync(HttpMethod.Get, "admin/providers", null, ("X-API-Key", sent));
        Assert.Equal(status, given);
        if (message is not null)
        {
            Assert.Equal("FORBIDDEN", body.GetProperty("code").GetString());
            Assert.Equal(message, body.GetProperty("message").GetString());
        }
    }

    [Fact]
    public async Task Anonymous_callers_are_let_in_where_that_is_written_and_a_wrong_key_is_still_told()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client, AllowAnonymous = true });
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes")).Status);
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", "wrong"))).Status);
    }

    [Fact]
    public async Task Beyond_loopback_a_key_is_made_once_and_needed()
    {
        string directory = Directory.CreateTempSubdirectory("stacyvm-key-").FullName;
        string key;
        await using (RunningServer server = await RunningServer.StartAsync(options => options with { Host = "0.0.0.0" }, directory: directory))
        {
            string file = Path.Combine(directory, "api-key");
            Assert.Equal(file, server.Server.KeyFile);
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            key = (await File.ReadAllTextAsync(file)).Trim();
            Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "sandboxes")).Status);
            Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", key))).Status);
            Assert.DoesNotContain(key, server.Log.Text);
            Assert.Equal((key, false), ApiKeyFile.LoadOrCreate(directory));
        }
    }

    [Fact]
    public async Task Health_is_open_and_says_more_to_who_has_a_key()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client });
        foreach (string path in new[] { "health", "live", "ready" })
        {
            (int status, JsonElement stranger) = await server.SendAsync(HttpMethod.Get, path);
            Assert.Equal(200, status);
            Assert.Equal(["status"], stranger.EnumerateObject().Select(field => field.Name));
            JsonElement known = (await server.SendAsync(HttpMethod.Get, path, null, ("X-API-Key", Client))).Body;
            Assert.True(known.TryGetProperty("version", out _) && known.TryGetProperty("uptime", out _));
        }
    }

    [Fact]
    public async Task A_ticket_opens_one_stream_once()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client });
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Post, "tickets")).Status);
        string ticket = await TicketAsync(server);
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, $"sandboxes?ticket={ticket}")).Status);
        using (HttpResponseMessage events = await server.AnswerAsync(HttpMethod.Get, $"events?ticket={ticket}"))
            Assert.Equal(200, (int)events.StatusCode);
        using (HttpResponseMessage again = await server.AnswerAsync(HttpMethod.Get, $"events?ticket={ticket}"))
            Assert.Equal(401, (int)again.StatusCode);
        Assert.DoesNotContain(ticket, server.Log.Text);
    }

    [Fact]
    public async Task A_ticket_ends_after_thirty_seconds()
    {
        var time = new FakeTimeProvider();
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client }, time: time);
        string ticket = await TicketAsync(server);
        time.Advance(TimeSpan.FromSeconds(31));
        using HttpResponseMessage late = await server.AnswerAsync(HttpMethod.Get, $"events?ticket={ticket}");
        Assert.Equal(401, (int)late.StatusCode);
    }

    [Fact]
    public async Task A_ticket_opens_a_socket()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client });
        server.Http.DefaultRequestHeaders.Add("X-API-Key", Client);
        string id = await server.SpawnAsync();
        string ticket = await TicketAsync(server);
        using var socket = new ClientWebSocket();
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/api/v1/sandboxes/{id}/exec/ws?ticket={ticket}"), default);
        using var second = new ClientWebSocket();
        await Assert.ThrowsAsync<WebSocketException>(
            () => second.ConnectAsync(new Uri($"ws://127.0.0.1:{server.Port}/api/v1/sandboxes/{id}/exec/ws?ticket={ticket}"), default));
    }

    [Fact]
    public async Task The_owner_comes_from_the_header_and_not_from_the_body()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client });
        (int status, JsonElement body) = await server.SendAsync(
            HttpMethod.Post, "sandboxes", """{"owner_id":"mallory","tenant_id":"theirs"}""", ("X-API-Key", Client), ("X-User-ID", "alice"), ("X-Tenant-ID", "ours"));
        Assert.Equal(201, status);
        Assert.Equal("alice", body.GetProperty("owner_id").GetString());
        Assert.Equal("ours", body.GetProperty("tenant_id").GetString());
        string id = body.GetProperty("id").GetString()!;
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}", null, ("X-API-Key", Client), ("X-Tenant-ID", "others"))).Status);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client), ("X-User-ID", "a/b"))).Status);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client), ("X-User-ID", new string('a', 129)))).Status);
    }

    private static async Task<string> TicketAsync(RunningServer server)
    {
        (int status, JsonElement body) = await server.SendAsync(HttpMethod.Post, "tickets", null, ("X-API-Key", Client));
        Assert.Equal(201, status);
        return body.GetProperty("ticket").GetString()!;
    }
}
