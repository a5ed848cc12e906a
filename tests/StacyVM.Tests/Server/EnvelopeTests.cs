using System.Net;
using System.Text;
using System.Text.Json;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>How requests are read and errors are told.</summary>
public sealed class EnvelopeTests
{
    [Theory]
    [InlineData("GET", "/", 404, "NOT_FOUND")]
    [InlineData("GET", "/api/v1/nothing", 404, "NOT_FOUND")]
    [InlineData("GET", "/api/v1/sandboxes/sb-0000000000000000", 404, "NOT_FOUND")]
    [InlineData("GET", "/api/v1/sandboxes/..%2f..%2fetc", 404, "NOT_FOUND")]
    [InlineData("GET", "/api/v1/sandboxes/%2e%2e/%2e%2e/%2e%2e/etc/passwd", 404, "NOT_FOUND")]
    [InlineData("GET", "/api/v1/sandboxes/%c0%ae%c0%ae", 404, "NOT_FOUND")]
    [InlineData("PATCH", "/api/v1/sandboxes", 405, "BAD_REQUEST")]
    [InlineData("POST", "/api/v1/health", 405, "BAD_REQUEST")]
    [InlineData("GET", "/api/v1/sandboxes/sb-1/exec/ws", 400, "BAD_REQUEST")]
    [InlineData("GET", "/api/v1/providers/nonesuch", 404, "NOT_FOUND")]
    public async Task Every_error_is_an_envelope(string method, string path, int status, string code)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string answer = await server.RawAsync($"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.StartsWith($"HTTP/1.1 {status}", answer);
        Assert.Contains("Content-Type: application/json\r\n", answer);
        string body = answer[(answer.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..];
        Assert.EndsWith("}\n", body);
        Assert.StartsWith($"{{\"code\":\"{code}\",\"message\":\"", body);
        Assert.Equal(["code", "message"], JsonDocument.Parse(body).RootElement.EnumerateObject().Select(field => field.Name));
    }

    [Theory]
    [InlineData("", "it is empty")]
    [InlineData("{", "not JSON")]
    [InlineData("{\"image\":}", "not JSON at line 1, byte 10")]
    [InlineData("hello", "not JSON")]
    [InlineData("[]", "an object is expected")]
    [InlineData("\"text\"", "an object is expected")]
    [InlineData("{\"memory_mb\":\"much\"}", "field memory_mb has the wrong type")]
    [InlineData("{\"memory_mb\":1.5}", "field memory_mb has the wrong type")]
    [InlineData("{\"memory_mb\":99999999999}", "field memory_mb has the wrong type")]
    [InlineData("{\"image\":7}", "field image has the wrong type")]
    [InlineData("{\"metadata\":{\"a\":1}}", "field metadata.a has the wrong type")]
    [InlineData("{\"image\":\"\\ud800\"}", "")]
    public async Task A_body_that_cannot_be_read_is_a_400_that_says_where(string body, string detail)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "sandboxes", body);
        Assert.Equal(400, status);
        Assert.Equal("BAD_REQUEST", answer.GetProperty("code").GetString());
        Assert.StartsWith("invalid request body", answer.GetProperty("message").GetString());
        Assert.Contains(detail, answer.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"IMAGE\":\"x\",\"Memory_MB\":64,\"unknown\":[1,{}]}")]
    [InlineData("{} trailing rubbish")]
    [InlineData("  \n {\"ttl\":\"1m\"}{\"ttl\":\"2m\"}")]
    public async Task Keys_are_read_in_any_case_and_what_is_unknown_or_trails_is_ignored(string body)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using var content = new ByteArrayContent(Encoding.UTF8.GetBytes(body));
        content.Headers.TryAddWithoutValidation("Content-Type", "text/nonsense");
        using HttpResponseMessage answer = await server.Http.PostAsync("sandboxes", content);
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
    }

    [Fact]
    public async Task A_body_beyond_the_bound_is_a_413_with_and_without_its_length()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { MaxJsonBytes = 1000 });
        string body = $"{{\"image\":\"{new string('x', 2000)}\"}}";
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "sandboxes", body);
        Assert.Equal((413, "BAD_REQUEST"), (status, answer.GetProperty("code").GetString()));
        string chunked = await server.RawAsync(
            $"POST /api/v1/sandboxes HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n{body.Length:x}\r\n{body}\r\n0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 413", chunked);
        Assert.Contains("\"code\":\"BAD_REQUEST\"", chunked);
    }

    [Fact]
    public async Task Answers_are_compact_JSON_with_one_line_feed_and_no_charset()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "live");
        Assert.Equal("application/json", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Matches("^{\"status\":\"alive\",\"version\":\"[0-9.]+\",\"uptime\":\"[0-9.a-zµ]+\"}\n$", await answer.Content.ReadAsStringAsync());
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData("given-1", true)]
    [InlineData("with blank", false)]
    [InlineData("<script>", false)]
    public async Task A_request_id_is_echoed_when_it_is_harmless_and_made_otherwise(string given, bool echoed)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "nothing", null, ("X-Request-ID", given));
        string id = answer.Headers.GetValues("X-Request-ID").Single();
        Assert.Equal(echoed, id == given);
        Assert.True(echoed || Guid.TryParse(id, out _));
        using HttpResponseMessage longer = await server.AnswerAsync(HttpMethod.Get, "nothing", null, ("X-Request-ID", new string('a', 129)));
        Assert.Equal(36, longer.Headers.GetValues("X-Request-ID").Single().Length);
    }

    [Fact]
    public async Task An_unexpected_fault_tells_nothing_but_where_to_look()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        server.Provider[id].Memory.Content["/broken"] = null!;
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files?path=/broken", null, ("X-Request-ID", "look-here"));
        Assert.Equal((500, "INTERNAL_ERROR"), (status, answer.GetProperty("code").GetString()));
        Assert.Contains("look-here", answer.GetProperty("message").GetString());
        Assert.DoesNotContain("NullReference", answer.ToString());
        Assert.Contains("look-here", server.Log.Text);
        Assert.Contains("NullReference", server.Log.Text);
    }

    [Fact]
    public async Task The_access_log_has_no_query_and_no_line_of_the_callers_making()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.RawAsync("GET /api/v1/no%0aInformation%20forged?secret=hidden HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.DoesNotContain("hidden", server.Log.Text);
        Assert.DoesNotContain("\nInformation forged", server.Log.Text);
        Assert.Contains("GET /api/v1/no?Information forged 404", server.Log.Text);
    }

    [Fact]
    public async Task A_NUL_in_the_path_is_refused()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string answer = await server.RawAsync("GET /api/v1/sandboxes/a%00b HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400", answer);
    }

    [Theory]
    [InlineData("sandboxes/")]
    [InlineData("providers/")]
    public async Task A_slash_behind_a_collection_changes_nothing(string path)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, path)).Status);
    }
}
