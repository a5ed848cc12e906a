using System.Text.Json;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>Limits, quotas and the spawn queue of the published binary, through its command line.</summary>
public sealed class QuotaTests
{
    private static readonly Dictionary<string, string> OnePlace = new()
    {
        ["STACYVM_DEFAULTS_MAX_SANDBOXES"] = "1",
        ["STACYVM_DEFAULTS_SPAWN_OVERFLOW"] = "queue",
        ["STACYVM_DEFAULTS_SPAWN_QUEUE_TIMEOUT"] = "20s",
    };

    [Fact]
    public async Task At_the_limit_a_spawn_waits_until_a_sandbox_is_gone()
    {
        await using PublishedServer server = await PublishedServer.StartAsync("mock", environment: OnePlace);
        string first = await server.SpawnAsync();
        StacyCli.Outcome trial = await StacyCli.RunAsync(server, "spawn", "--dry-run", "--json");
        Assert.Equal(6, trial.Code);
        JsonElement decision = JsonDocument.Parse(trial.Out).RootElement;
        Assert.Equal(("max_sandboxes", true), (decision.GetProperty("reason").GetString(), decision.GetProperty("queueable").GetBoolean()));

        Task<StacyCli.Outcome> waiting = StacyCli.RunAsync(server, "spawn", "-q");
        await EventAsync(server, "spawn.queued");
        Assert.False(waiting.IsCompleted);
        await server.DestroyAsync(first);
        StacyCli.Outcome served = await waiting;
        Assert.True(served.Code == 0, served.Error);
        Assert.StartsWith("sb-", served.Out);
        await EventAsync(server, "spawn.dequeued");
    }

    [Fact]
    public async Task A_quota_holds_after_a_kill_of_the_server_and_existing_sandboxes_keep_their_places()
    {
        await using PublishedServer server = await PublishedServer.StartAsync("mock");
        Assert.Equal(0, (await StacyCli.RunAsync(server, "quota", "set", "ada", "--max-sandboxes", "1", "--max-ttl", "2h")).Code);
        Assert.Equal(0, (await StacyCli.RunAsync(server, "spawn", "--owner", "ada")).Code);
        await server.KillAsync();
        await server.StartAgainAsync();

        StacyCli.Outcome usage = await StacyCli.RunAsync(server, "quota", "usage", "ada", "--json");
        Assert.Equal(
            """{"owner_id":"ada","active_sandboxes":1,"max_sandboxes":1,"max_ttl":"2h0m0s","max_exec_timeout":"10m0s","quota_configured":true}""", usage.Out.Trim());
        StacyCli.Outcome refused = await StacyCli.RunAsync(server, "spawn", "--owner", "ada");
        Assert.Equal(6, refused.Code);
        Assert.Contains("max sandboxes per owner reached (1) for ada", refused.Error);
        Assert.Contains("ada", (await StacyCli.RunAsync(server, "quota", "list")).Out);
        Assert.Equal(0, (await StacyCli.RunAsync(server, "quota", "rm", "ada")).Code);
        Assert.Equal(4, (await StacyCli.RunAsync(server, "quota", "get", "ada")).Code);
        Assert.Equal(0, (await StacyCli.RunAsync(server, "spawn", "--owner", "ada")).Code);
    }

    /// <summary>The first event of a type, past or to come.</summary>
    private static async Task EventAsync(PublishedServer server, string type)
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        using Stream stream = await server.Http.GetStreamAsync($"events?after=none&type={type}", bound.Token);
        using var reader = new StreamReader(stream);
        while (await reader.ReadLineAsync(bound.Token) is { } line)
        {
            if (line.Contains(type, StringComparison.Ordinal))
                return;
        }
        Assert.Fail($"the event stream ended without {type}");
    }
}
