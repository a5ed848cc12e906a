using System.Net;
using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Limits on requests and on guesses at keys, over HTTP.</summary>
public sealed class LimitTests
{
    private const string Client = "client-key-of-some-length";
    private const string Admin = "admin-key-of-some-length";
    private const string Wrong = "wrong-key-of-some-length";

    private static readonly AuthOptions Keys = new() { ApiKey = Client, AdminApiKey = Admin };
    private static readonly RateLimitOptions Three = new() { Enabled = true, RequestsPerMinute = 60, Burst = 3 };

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Every_answer_says_what_is_left_and_the_one_too_many_when_to_come_back()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys, time: _time, rateLimit: Three with { RequestsPerMinute = 10 });
        foreach ((string path, string left, HttpStatusCode status) in new[] { ("sandboxes", "2", HttpStatusCode.OK), ("sandboxes/sb-x", "1", HttpStatusCode.NotFound), ("no/such", "0", HttpStatusCode.NotFound) })
        {
            using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, path, null, ("X-API-Key", Client));
            Assert.Equal(status, answer.StatusCode);
            Assert.Equal(("3", left), (Header(answer, "X-RateLimit-Limit"), Header(answer, "X-RateLimit-Remaining")));
        }
        using HttpResponseMessage limited = await server.AnswerAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client));
        JsonElement body = JsonDocument.Parse(await limited.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal((429, "6", "0"), ((int)limited.StatusCode, Header(limited, "Retry-After"), Header(limited, "X-RateLimit-Remaining")));
        Assert.Equal("RESOURCE_LIMIT", body.GetProperty("code").GetString());
        Assert.Equal("rate limit exceeded; retry after 6s", body.GetProperty("message").GetString());
        _time.Advance(TimeSpan.FromSeconds(6));
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client))).Status);
    }

    [Fact]
    public async Task Off_nothing_is_limited_and_nothing_is_said()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client));
        Assert.False(answer.Headers.Contains("X-RateLimit-Limit"));
    }

    [Fact]
    public async Task The_header_in_which_a_key_comes_makes_no_new_caller_and_neither_do_forwarding_headers()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys, time: _time, rateLimit: Three);
        Assert.Equal("2", await LeftAsync(server, ("X-API-Key", Client)));
        Assert.Equal("1", await LeftAsync(server, ("X-Admin-API-Key", Client)));
        Assert.Equal("0", await LeftAsync(server, ("Authorization", "Bearer " + Client), ("X-Forwarded-For", "198.51.100.7")));
        Assert.Equal("2", await LeftAsync(server, ("X-API-Key", Client), ("X-User-ID", "alice")));
        Assert.Equal("2", await LeftAsync(server, ("X-Admin-API-Key", Admin)));
    }

    [Fact]
    public async Task A_flood_of_invented_users_or_addresses_gets_no_more_than_its_bound()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys, time: _time, rateLimit: Three with { KeyBy = "api_key" });
        int passed = 0;
        for (int i = 0; i < 200; i++)
        {
            (int status, _) = await server.SendAsync(
                HttpMethod.Get, "providers", null, ("X-API-Key", Client), ("X-User-ID", $"u{i}"), ("X-Forwarded-For", $"198.51.100.{i}"), ("X-Real-IP", $"198.51.100.{i}"));
            passed += status == 200 ? 1 : 0;
        }
        Assert.Equal(3, passed);
    }

    [Fact]
    public async Task Strangers_without_any_key_are_limited_by_their_address()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys, time: _time, rateLimit: Three);
        int[] statuses = new int[5];
        for (int i = 0; i < 5; i++)
            statuses[i] = (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-Forwarded-For", $"198.51.100.{i}"), ("X-User-ID", $"u{i}"))).Status;
        Assert.Equal([401, 401, 401, 429, 429], statuses);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client))).Status);
    }

    [Fact]
    public async Task After_twenty_wrong_keys_no_key_from_there_is_looked_at_for_a_while()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys, time: _time);
        for (int i = 0; i < 20; i++)
            Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, (i % 2 == 0 ? "X-API-Key" : "X-Admin-API-Key", Wrong + i), ("X-Forwarded-For", $"198.51.100.{i}"))).Status);
        foreach (string key in new[] { Wrong, Client, Admin })
        {
            using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", key));
            Assert.Equal((429, "3"), ((int)answer.StatusCode, Header(answer, "Retry-After")));
            Assert.Equal("too many wrong keys from 127.0.0.1; retry after 3s", JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("message").GetString());
        }
        // Load balancers go on; a right key tells nothing there either.
        (int status, JsonElement health) = await server.SendAsync(HttpMethod.Get, "health", null, ("X-API-Key", Client));
        Assert.Equal((200, false), (status, health.TryGetProperty("version", out _)));
        // Without a key it is the plain refusal: nothing was guessed at.
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "sandboxes")).Status);
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client))).Status);
    }

    [Fact]
    public async Task Guesses_count_on_open_routes_beside_a_right_key_and_for_tickets_too()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys with { MaxFailedLoginsPerMinute = 3 }, time: _time);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "health", null, ("X-API-Key", Wrong))).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-Admin-API-Key", Wrong), ("X-API-Key", Client))).Status);
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "events?ticket=tkt_wrong")).Status);
        Assert.Equal(429, (await server.SendAsync(HttpMethod.Get, "events?ticket=tkt_wrong")).Status);
        Assert.Equal(429, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client))).Status);
    }

    [Fact]
    public async Task Behind_a_trusted_proxy_each_client_counts_by_itself()
    {
        await using RunningServer server = await RunningServer.StartAsync(
            options => options with { TrustedProxies = ["127.0.0.0/8"] }, Keys with { MaxFailedLoginsPerMinute = 2 }, _time);
        for (int i = 0; i < 2; i++)
            Assert.Equal(401, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Wrong), ("X-Forwarded-For", $"203.0.113.{i}, 198.51.100.1"))).Status);
        Assert.Equal(429, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client), ("X-Forwarded-For", "198.51.100.1"))).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client), ("X-Forwarded-For", "198.51.100.2"))).Status);
    }

    private static async Task<string> LeftAsync(RunningServer server, params (string, string)[] headers)
    {
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "sandboxes", null, headers);
        return Header(answer, "X-RateLimit-Remaining");
    }

    private static string Header(HttpResponseMessage answer, string name) => answer.Headers.GetValues(name).Single();
}
