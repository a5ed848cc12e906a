using System.Text.Json;
using System.Text.RegularExpressions;
using Xunit;

namespace StacyVM.EndToEnd.Contract;

/// <summary>Durations as the contract has them: which texts are taken, and how they are written.</summary>
[Collection(ContractServerCollection.Name)]
public sealed partial class DurationTests(ContractServer server)
{
    [GeneratedRegex(@"^(?:0s|[1-9]\d{0,2}ns|[1-9]\d{0,2}(?:\.\d{0,2}[1-9])?µs|[1-9]\d{0,2}(?:\.\d{0,5}[1-9])?ms|(?:[1-9]\d*h[1-5]?\dm|[1-5]?\dm)?[1-5]?\d(?:\.\d{0,8}[1-9])?s)$")]
    internal static partial Regex Written();

    [Theory]
    [InlineData("30s", 30)]
    [InlineData("1m", 60)]
    [InlineData("1h", 3600)]
    [InlineData("1m30s", 90)]
    [InlineData("1h1m1s", 3661)]
    [InlineData("1.5h", 5400)]
    [InlineData(".5h", 1800)]
    [InlineData("+90s", 90)]
    [InlineData("90000ms", 90)]
    [InlineData("90000000us", 90)]
    [InlineData("90000000µs", 90)]
    [InlineData("90000000μs", 90)]
    [InlineData("90000000000ns", 90)]
    [InlineData("30s1m", 90)]
    public async Task A_duration_is_taken(string text, int seconds)
    {
        string id = await server.SharedSandboxAsync("mock");
        DateTime before = DateTime.UtcNow;
        JsonElement sandbox = await server.DoneAsync("POST", $"sandboxes/{id}/extend", JsonSerializer.Serialize(new Dictionary<string, string> { ["ttl"] = text }));
        double given = (sandbox.GetProperty("expires_at").GetDateTime() - before).TotalSeconds;
        Assert.InRange(given, seconds - 0.5, seconds + 15);
        await server.DoneAsync("POST", $"sandboxes/{id}/extend", """{"ttl":"20m"}""");
    }

    [Theory]
    [InlineData("", "ttl is required")]
    [InlineData("30", "invalid ttl format: ")]
    [InlineData("1d", "invalid ttl format: ")]
    [InlineData("1w", "invalid ttl format: ")]
    [InlineData("1 h", "invalid ttl format: ")]
    [InlineData(" 1h", "invalid ttl format: ")]
    [InlineData("1h ", "invalid ttl format: ")]
    [InlineData("h", "invalid ttl format: ")]
    [InlineData(".s", "invalid ttl format: ")]
    [InlineData("1h-30m", "invalid ttl format: ")]
    [InlineData("--1s", "invalid ttl format: ")]
    [InlineData("1e3s", "invalid ttl format: ")]
    [InlineData("1H", "invalid ttl format: ")]
    [InlineData("1,5h", "invalid ttl format: ")]
    [InlineData("9223372036854775808ns", "invalid ttl format: ")]
    [InlineData("99999999999999999999h", "invalid ttl format: ")]
    [InlineData("0", "ttl must be positive")]
    [InlineData("0s", "ttl must be positive")]
    [InlineData("-1s", "ttl must be positive")]
    [InlineData("-0.5h", "ttl must be positive")]
    public async Task A_text_that_is_no_duration_or_none_to_live_is_refused(string text, string message)
    {
        string id = await server.SharedSandboxAsync("mock");
        ApiAnswer answer = await server.SendAsync("POST", $"sandboxes/{id}/extend", JsonSerializer.Serialize(new Dictionary<string, string> { ["ttl"] = text }));
        answer.IsError(400, "BAD_REQUEST");
        Assert.StartsWith(message, answer.Json.GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("", "0s")]
    [InlineData("0", "0s")]
    [InlineData("0s", "0s")]
    [InlineData("1s", "1s")]
    [InlineData("30s", "30s")]
    [InlineData("60s", "1m0s")]
    [InlineData("61s", "1m1s")]
    [InlineData("90m", "1h30m0s")]
    [InlineData("1.5h", "1h30m0s")]
    [InlineData("3600s", "1h0m0s")]
    [InlineData("24h", "24h0m0s")]
    [InlineData("100h", "100h0m0s")]
    public async Task A_duration_is_written_in_one_way(string text, string written)
    {
        JsonElement quota = await server.DoneAsync("PUT", "quotas/durations", JsonSerializer.Serialize(new Dictionary<string, string> { ["max_ttl"] = text }));
        Assert.Equal(written, quota.GetProperty("max_ttl").GetString());
        Assert.Matches(Written(), written);
        await server.DoneAsync("DELETE", "quotas/durations");
    }

    [Theory]
    [InlineData("max_ttl", "-1s")]
    [InlineData("max_ttl", "500ms")]
    [InlineData("max_ttl", "1.5s")]
    [InlineData("max_ttl", "1d")]
    [InlineData("max_exec_timeout", "-1m")]
    [InlineData("max_exec_timeout", "1ns")]
    [InlineData("max_exec_timeout", "soon")]
    public async Task A_limit_is_whole_seconds(string field, string text)
    {
        ApiAnswer answer = await server.SendAsync("PUT", "quotas/durations", JsonSerializer.Serialize(new Dictionary<string, string> { [field] = text }));
        answer.IsError(400, "BAD_REQUEST");
        Assert.Contains(field, answer.Json.GetProperty("message").GetString()!, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ttl", "1 hour")]
    [InlineData("ttl", "0s")]
    [InlineData("ttl", "-5m")]
    public async Task A_spawn_refuses_a_life_that_is_none(string field, string text)
    {
        string body = JsonSerializer.Serialize(new Dictionary<string, string> { ["provider"] = "mock", [field] = text });
        (await server.SendAsync("POST", "sandboxes", body)).IsError(400, "BAD_REQUEST");
        (await server.SendAsync("POST", "sandboxes/admission", body)).IsError(400, "BAD_REQUEST");
    }
}
