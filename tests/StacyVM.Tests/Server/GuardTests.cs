using System.Net.Http.Headers;
using System.Text.Json;
using StacyVM.Server.Security;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Names and origins under which the server answers.</summary>
public sealed class GuardTests
{
    [Theory]
    [InlineData("127.0.0.1", 200)]
    [InlineData("127.0.0.1:9", 200)]
    [InlineData("localhost", 200)]
    [InlineData("LOCALHOST.", 200)]
    [InlineData("[::1]", 200)]
    [InlineData("vm.example.com", 200)]
    [InlineData("attacker.example", 421)]
    [InlineData("localhost.attacker.example", 421)]
    [InlineData("127.0.0.1.attacker.example", 421)]
    [InlineData("10.0.0.1", 421)]
    [InlineData("0.0.0.0", 421)]
    [InlineData("", 421)]
    public async Task Only_names_of_ours_are_answered(string host, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { AllowedHosts = ["vm.example.com"] });
        string answer = await server.RawAsync($"GET /api/v1/health HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status}", answer);
    }

    [Fact]
    public async Task An_absolute_form_request_is_judged_by_its_own_name()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string foreign = await server.RawAsync("GET http://attacker.example/api/v1/health HTTP/1.1\r\nHost: attacker.example\r\nConnection: close\r\n\r\n");
        string torn = await server.RawAsync("GET http://attacker.example/api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        string own = await server.RawAsync("GET http://localhost/api/v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 421", foreign);
        Assert.StartsWith("HTTP/1.1 400", torn);
        Assert.StartsWith("HTTP/1.1 200", own);
    }

    [Theory]
    [InlineData(null, 200)]
    [InlineData("own", 200)]
    [InlineData("https://ui.example.com", 200)]
    [InlineData("https://attacker.example", 403)]
    [InlineData("null", 403)]
    [InlineData("http://127.0.0.1:1", 403)]
    [InlineData("http://localhost", 403)]
    [InlineData("https-own", 403)]
    [InlineData("preview", 403)]
    [InlineData("http://ui.example.com", 403)]
    [InlineData("garbage", 403)]
    public async Task Only_origins_of_ours_are_answered_on_every_kind_of_route(string? origin, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { CorsAllowedOrigins = ["https://ui.example.com"] });
        string id = await server.SpawnAsync();
        origin = origin switch
        {
            "own" => $"http://127.0.0.1:{server.Port}",
            "https-own" => $"https://127.0.0.1:{server.Port}",
            "preview" => $"http://3000-{id}.localhost:{server.Port}",
            _ => origin,
        };
        (string, string)[] headers = origin is null ? [] : [("Origin", origin)];
        Assert.Equal(status, (int)(await server.AnswerAsync(HttpMethod.Get, "sandboxes", null, headers)).StatusCode);
        Assert.Equal(status, (int)(await server.AnswerAsync(HttpMethod.Get, "health", null, headers)).StatusCode);
        using (HttpResponseMessage events = await server.AnswerAsync(HttpMethod.Get, "events", null, headers))
            Assert.Equal(status, (int)events.StatusCode);
        Assert.Equal(status == 200 ? 200 : 403, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"echo a"}""", headers)).Status);
        string line = origin is null ? "" : $"Origin: {origin}\r\n";
        string upgrade = await server.RawAsync(
            $"GET /api/v1/sandboxes/{id}/exec/ws HTTP/1.1\r\nHost: 127.0.0.1:{server.Port}\r\n{line}Connection: Upgrade\r\nUpgrade: websocket\r\n"
            + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", until: "\r\n\r\n");
        Assert.StartsWith(status == 200 ? "HTTP/1.1 101" : "HTTP/1.1 403", upgrade);
    }

    [Theory]
    [InlineData("cross-site", "no-cors", "image", 403)]
    [InlineData("same-site", "no-cors", "script", 403)]
    [InlineData("cross-site", "navigate", "iframe", 403)]
    [InlineData("cross-site", "navigate", "document", 200)]
    [InlineData("same-origin", "cors", "empty", 200)]
    [InlineData("none", "navigate", "document", 200)]
    public async Task A_page_that_hides_its_origin_is_known_by_its_fetch_metadata(string site, string mode, string destination, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(
            HttpMethod.Get, "sandboxes", null, ("Sec-Fetch-Site", site), ("Sec-Fetch-Mode", mode), ("Sec-Fetch-Dest", destination));
        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task A_preflight_is_answered_without_a_key_for_a_configured_origin_only()
    {
        await using RunningServer server = await RunningServer.StartAsync(
            options => options with { CorsAllowedOrigins = ["https://ui.example.com"] }, new() { ApiKey = "secret-key-of-some-length" });
        (string, string)[] preflight = [("Access-Control-Request-Method", "PATCH"), ("Access-Control-Request-Headers", "x-api-key")];
        using HttpResponseMessage known = await server.AnswerAsync(HttpMethod.Options, "sandboxes", null, [("Origin", "https://ui.example.com"), .. preflight]);
        Assert.Equal(200, (int)known.StatusCode);
        Assert.Equal("https://ui.example.com", known.Headers.GetValues("Access-Control-Allow-Origin").Single());
        Assert.Contains("PATCH", known.Headers.GetValues("Access-Control-Allow-Methods").Single());
        Assert.Contains("X-API-Key", known.Headers.GetValues("Access-Control-Allow-Headers").Single());
        Assert.Contains("Origin", known.Headers.Vary);

        using HttpResponseMessage foreign = await server.AnswerAsync(HttpMethod.Options, "sandboxes", null, [("Origin", "https://attacker.example"), .. preflight]);
        Assert.Equal(403, (int)foreign.StatusCode);
        Assert.False(foreign.Headers.Contains("Access-Control-Allow-Origin"));
        using HttpResponseMessage none = await server.AnswerAsync(HttpMethod.Options, "sandboxes");
        Assert.Equal(200, (int)none.StatusCode);
        Assert.False(none.Headers.Contains("Access-Control-Allow-Origin"));
        // An error, too, is readable for the page that may read answers.
        using HttpResponseMessage refused = await server.AnswerAsync(HttpMethod.Get, "sandboxes", null, ("Origin", "https://ui.example.com"));
        Assert.Equal(401, (int)refused.StatusCode);
        Assert.Equal("https://ui.example.com", refused.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task Without_configuration_nothing_is_said_about_origins()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage own = await server.AnswerAsync(HttpMethod.Get, "sandboxes", null, ("Origin", $"http://127.0.0.1:{server.Port}"));
        Assert.Equal(200, (int)own.StatusCode);
        Assert.DoesNotContain(own.Headers, header => header.Key.StartsWith("Access-Control", StringComparison.Ordinal));
    }
}
