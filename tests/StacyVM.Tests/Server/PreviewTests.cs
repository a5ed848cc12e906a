using System.Net;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using StacyVM.Server.Previews;
using StacyVM.Tests.Server.Scripted;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>What sandboxes serve, under their own names.</summary>
public sealed class PreviewTests
{
    private const string Key = "client-key-of-some-length";

    [Theory]
    [InlineData("3000-sb-1.localhost", 3000, "sb-1")]
    [InlineData("3000-SB-1.LOCALHOST", 3000, "sb-1")]
    [InlineData("65535-sb-1.localhost.", 65535, "sb-1")]
    [InlineData("65536-sb-1.localhost", 0, null)]
    [InlineData("0-sb-1.localhost", 0, null)]
    [InlineData("03000-sb-1.localhost", 0, null)]
    [InlineData("+3000-sb-1.localhost", 0, null)]
    [InlineData("-3000-sb-1.localhost", 0, null)]
    [InlineData("3000-.localhost", 0, null)]
    [InlineData("3000.localhost", 0, null)]
    [InlineData("3000-sb-1.x.localhost", 0, null)]
    [InlineData("3000-sb_1.localhost", 0, null)]
    [InlineData("3000-../sb.localhost", 0, null)]
    [InlineData("3000-sb-1-.localhost", 0, null)]
    [InlineData("3000-sb-1.localhost.attacker.example", 0, null)]
    public void A_name_means_a_port_of_a_sandbox_or_nothing(string host, int port, string? id)
    {
        var named = new PreviewHost("localhost:7423").Parse(host);
        Assert.Equal(id is null ? null : (port, id), named);
    }

    [Theory]
    [InlineData("a=b; Domain=localhost; Path=/", "a=b; Path=/")]
    [InlineData("a=b;domain=.example.com;Secure", "a=b;Secure")]
    [InlineData("a=b; DOMAIN = x; HttpOnly", "a=b; HttpOnly")]
    [InlineData("domain=kept; Path=/", "domain=kept; Path=/")]
    [InlineData("a=\"x; Domain=y\"", "a=\"x")]
    public void A_cookie_loses_its_domain(string cookie, string expected) => Assert.Equal(expected, PreviewTransformer.WithoutDomain(cookie));

    [Fact]
    public async Task A_request_goes_in_and_its_answer_comes_out()
    {
        await using var guest = await GuestApplication.StartAsync();
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Key });
        string host = await ShowAsync(server, guest);
        string answer = await server.RawAsync(
            $"POST /a%2Fb/../c?x=%20y&z HTTP/1.1\r\nHost: {host}\r\nX-Mine: 1\r\nX-Forwarded-For: 6.6.6.6\r\nX-Forwarded-Host: forged\r\nForwarded: for=6.6.6.6\r\nX-Real-IP: 6.6.6.6\r\n"
            + "Connection: X-Hop\r\nX-Hop: 1\r\nContent-Length: 4\r\n\r\nbody", until: "hello");
        Assert.StartsWith("HTTP/1.1 200", answer);
        string seen = await guest.SeenAsync();
        Assert.StartsWith("POST /a%2Fb/../c?x=%20y&z HTTP/1.1\r\n", seen);
        Assert.Contains($"Host: {host}\r\n", seen);
        Assert.Contains("X-Mine: 1\r\n", seen);
        Assert.Contains("X-Forwarded-For: 127.0.0.1\r\n", seen);
        Assert.Contains($"X-Forwarded-Host: {host}\r\n", seen);
        Assert.Contains("X-Forwarded-Proto: http\r\n", seen);
        Assert.EndsWith("body", seen);
        foreach (string gone in new[] { "6.6.6.6", "forged", "X-Hop" })
            Assert.DoesNotContain(gone, seen);
        Assert.Contains("Set-Cookie: session=1; Path=/\r\n", answer);
        Assert.DoesNotContain("Alt-Svc", answer);
        Assert.DoesNotContain("X-Content-Type-Options", answer);
    }

    [Fact]
    public async Task No_credential_of_the_API_arrives()
    {
        await using var guest = await GuestApplication.StartAsync();
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Key, AdminApiKey = "admin-key-of-some-length" });
        string host = await ShowAsync(server, guest);
        string basic = Convert.ToBase64String(Encoding.UTF8.GetBytes("user:" + Key));
        string ticket = (await server.SendAsync(HttpMethod.Post, "tickets", null, ("X-API-Key", Key))).Body.GetProperty("ticket").GetString()!;
        foreach (string authorization in new[] { "Bearer " + Key, "bearer admin-key-of-some-length", "Basic " + basic, Key, "Bearer stacyvm-worker-v1.abc", "Bearer " + ticket })
        {
            await server.RawAsync(
                $"GET /?ticket={ticket}&a=1 HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\nX-API-Key: {Key}\r\nx-admin-api-key: admin-key-of-some-length\r\n"
                + "X-User-ID: alice\r\nX-Tenant-ID: ours\r\nX-Worker-Token: w\r\nConnection: close\r\n\r\n");
            string seen = await guest.SeenAsync();
            foreach (string secret in new[] { Key, "admin-key", basic, ticket, "alice", "ours", "Authorization", "Worker" })
                Assert.DoesNotContain(secret, seen, StringComparison.OrdinalIgnoreCase);
            Assert.StartsWith("GET /?a=1 ", seen);
        }
        // What belongs to the application passes.
        await server.RawAsync($"GET /?ticket=mine HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer of-the-application\r\nCookie: a=b\r\nConnection: close\r\n\r\n");
        string own = await guest.SeenAsync();
        Assert.Contains("Authorization: Bearer of-the-application\r\n", own);
        Assert.Contains("Cookie: a=b\r\n", own);
        Assert.StartsWith("GET /?ticket=mine ", own);
    }

    [Fact]
    public async Task Previews_and_the_API_do_not_meet()
    {
        await using var guest = await GuestApplication.StartAsync();
        await using RunningServer server = await RunningServer.StartAsync();
        string host = await ShowAsync(server, guest);
        Assert.StartsWith("HTTP/1.1 200", await server.RawAsync($"GET /api/v1/sandboxes HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        Assert.StartsWith("GET /api/v1/sandboxes ", await guest.SeenAsync());
        Assert.StartsWith("HTTP/1.1 404", await server.RawAsync("GET /api/v1/health HTTP/1.1\r\nHost: anything.localhost\r\nConnection: close\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 404", await server.RawAsync("GET / HTTP/1.1\r\nHost: 3000-sb-0123456789abcdef.localhost\r\nConnection: close\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 404", await server.RawAsync($"GET / HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-Host: {host}\r\nConnection: close\r\n\r\n"));
        Assert.StartsWith("HTTP/1.1 200", await server.RawAsync($"GET http://{host}/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"));
        Assert.StartsWith("GET / ", await guest.SeenAsync());
    }

    [Fact]
    public async Task A_dead_port_is_one_sentence()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        string json = await server.RawAsync($"GET / HTTP/1.1\r\nHost: 3000-{id}.localhost\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 502", json);
        Assert.EndsWith($"{{\"code\":\"UNAVAILABLE\",\"message\":\"Nothing answers on port 3000 of sandbox {id}.\"}}\n", json);
        string page = await server.RawAsync($"GET / HTTP/1.1\r\nHost: 3000-{id}.localhost:80\r\nAccept: text/html,*/*\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 502", page);
        Assert.Contains("Content-Type: text/html", page);
    }

    [Fact]
    public async Task A_kept_connection_never_outlives_its_sandbox()
    {
        await using var guest = await GuestApplication.StartAsync();
        await using RunningServer server = await RunningServer.StartAsync();
        string host = await ShowAsync(server, guest);
        using HttpClient client = server.NewClient();
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(client, host));
        await guest.SeenAsync();
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Delete, $"sandboxes/{host.Split('.')[0][5..]}")).Status);
        Assert.Equal(HttpStatusCode.NotFound, await StatusAsync(client, host));
        await guest.ClosedAsync();
    }

    [Fact]
    public async Task Redirects_are_the_clients_to_follow()
    {
        await using var guest = await GuestApplication.StartAsync("HTTP/1.1 302 Found\r\nLocation: http://169.254.169.254/\r\nContent-Length: 0\r\n\r\n");
        await using RunningServer server = await RunningServer.StartAsync();
        string host = await ShowAsync(server, guest);
        string answer = await server.RawAsync($"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 302", answer);
        Assert.Contains("Location: http://169.254.169.254/\r\n", answer);
    }

    [Fact]
    public async Task A_WebSocket_passes_both_ways()
    {
        await using var guest = await GuestApplication.StartAsync(
            "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n", echo: true);
        await using RunningServer server = await RunningServer.StartAsync();
        string host = await ShowAsync(server, guest);
        // The upgrade carries a foreign origin: pages of previews are free to talk to their own server.
        string answer = await server.RawAsync(
            $"GET /ws HTTP/1.1\r\nHost: {host}\r\nOrigin: http://elsewhere.example\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            + "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nraw bytes", until: "raw bytes");
        Assert.StartsWith("HTTP/1.1 101", answer);
        Assert.EndsWith("raw bytes", answer);
    }

    private static async Task<HttpStatusCode> StatusAsync(HttpClient client, string host)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Host = host;
        using HttpResponseMessage answer = await client.SendAsync(request);
        return answer.StatusCode;
    }

    /// <summary>A sandbox whose port 3000 is the guest's; its preview name.</summary>
    private static async Task<string> ShowAsync(RunningServer server, GuestApplication guest)
    {
        string id = (await server.SendAsync(HttpMethod.Post, "sandboxes", "{}", ("X-API-Key", Key))).Body.GetProperty("id").GetString()!;
        server.Provider[id].Ports[3000] = guest.Port;
        return $"3000-{id}.localhost";
    }
}
