using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Attacks;

/// <summary>What the published server refuses, and what it writes down about that.</summary>
public sealed class AuditTests
{
    private const string Client = "client-key-of-enough-length-0123456789";
    private const string Admin = "admin-key-of-enough-length-0123456789";

    [Fact]
    public async Task Refused_guesses_are_bounded_written_down_and_shown_by_the_command_line()
    {
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new()
        {
            ["STACYVM_AUTH_API_KEY"] = Client,
            ["STACYVM_AUTH_ADMIN_API_KEY"] = Admin,
            ["STACYVM_AUTH_MAX_FAILED_LOGINS_PER_MINUTE"] = "5",
        });
        List<int> answers = [];
        for (int i = 0; i < 8; i++)
        {
            using var guess = new HttpRequestMessage(HttpMethod.Get, $"sandboxes?token=query-canary-{i}");
            guess.Headers.Add("X-API-Key", $"guess-canary-{i}");
            guess.Headers.Add("X-Forwarded-For", $"198.51.100.{i}");
            using HttpResponseMessage answer = await server.Http.SendAsync(guess);
            answers.Add((int)answer.StatusCode);
        }
        Assert.Equal([401, 401, 401, 401, 401, 429, 429, 429], answers);
        server.Http.DefaultRequestHeaders.Add("X-API-Key", Client);

        // The place of one more guess is free again after a fifth of a minute.
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        StacyCli.Outcome shown;
        while ((shown = await AuditAsync(server, "--status", "401", "--json")).Code != 0)
        {
            Assert.Contains("too many wrong keys", shown.Error, StringComparison.OrdinalIgnoreCase);
            await Task.Delay(500, bound.Token);
        }
        JsonElement rows = JsonDocument.Parse(shown.Out).RootElement;
        Assert.Equal(5, rows.GetArrayLength());
        Assert.All(rows.EnumerateArray(), row => Assert.Equal(("stranger", "/api/v1/sandboxes", "127.0.0.1"),
            (row.GetProperty("actor").GetString(), row.GetProperty("path").GetString(), row.GetProperty("remote_addr").GetString())));
        StacyCli.Outcome csv = await AuditAsync(server, "--csv", "--user", "=alice");
        Assert.StartsWith("id,created_at,actor,method,path,status,duration_ms,request_id,remote_addr,user_agent\n", csv.Out);
        Assert.Contains("/api/v1/sandboxes", (await AuditAsync(server)).Out);
        Assert.Contains("'=alice@admin:X-Admin-API-Key", (await AuditAsync(server, "--csv")).Out);
        Assert.DoesNotContain("canary", shown.Out + csv.Out + server.Log);
    }

    private static Task<StacyCli.Outcome> AuditAsync(PublishedServer server, params string[] arguments) => StacyCli.RunAsync(
        ["--server", $"http://127.0.0.1:{server.Port}", "audit", .. arguments],
        new() { ["STACYVM_API_KEY"] = Client, ["STACYVM_ADMIN_API_KEY"] = Admin });
}
