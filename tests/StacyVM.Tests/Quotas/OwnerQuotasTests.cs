using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Tests.Sandboxes;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Quotas;

/// <summary>Limits of single owners: what they override, what they hold for, that they last.</summary>
public sealed class OwnerQuotasTests
{
    [Theory]
    [InlineData(1, 3)]
    [InlineData(3, 1)]
    [InlineData(0, 2)]
    [InlineData(2, 0)]
    public async Task The_owners_number_of_sandboxes_overrides_up_and_down(int standard, int own)
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxesPerOwner = standard });
        await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxSandboxes = own });
        int effective = own > 0 ? own : standard;
        for (int i = 0; i < effective; i++)
            await fixture.SpawnAsync(owner: "ada");
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync(owner: "ada"));
        Assert.Contains($"max sandboxes per owner reached ({effective}) for ada", problem.Message);
        QuotaUsage usage = fixture.Engine.Admission.UsageOf("ada");
        Assert.Equal((effective, effective, "24h0m0s", "10m0s", true), (usage.ActiveSandboxes, usage.MaxSandboxes, usage.MaxTtl, usage.MaxExecTimeout, usage.QuotaConfigured));
        await fixture.SpawnAsync();
    }

    [Theory]
    [InlineData("24h", "48h", "30h", true)]
    [InlineData("24h", "48h", "49h", false)]
    [InlineData("24h", "1h", "2h", false)]
    [InlineData("24h", "1h", "1h", true)]
    [InlineData("0s", "1h", "2h", false)]
    [InlineData("24h", "0s", "24h", true)]
    [InlineData("24h", "0s", "25h", false)]
    public async Task The_owners_lifetime_overrides_up_and_down_for_spawn_and_extend(string standard, string own, string asked, bool allowed)
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxTtl = Span(standard) });
        await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxTtl = own });
        SandboxInfo info = await fixture.SpawnAsync(owner: "ada", ttl: "1m");
        if (allowed)
        {
            await fixture.SpawnAsync(owner: "ada", ttl: asked);
            Assert.Equal(fixture.Time.GetUtcNow().UtcDateTime + Span(asked), (await fixture.Sandboxes.ExtendAsync(info.Id, Span(asked), Anyone, default)).ExpiresAt);
            return;
        }
        Assert.Contains("ttl exceeds max ttl", (await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync(owner: "ada", ttl: asked))).Message);
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.ExtendAsync(info.Id, Span(asked), Anyone, default));
        Assert.Equal(ProblemKind.ResourceLimit, problem.Kind);
    }

    [Fact]
    public async Task Who_names_no_lifetime_gets_no_more_than_the_quota()
    {
        await using EngineFixture fixture = await OpenAsync();
        await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxTtl = "5m" });
        SandboxInfo info = await fixture.SpawnAsync(owner: "ada");
        Assert.Equal(TimeSpan.FromMinutes(5), info.ExpiresAt - info.CreatedAt);
    }

    [Theory]
    [InlineData("10m", "5m", "6m", false)]
    [InlineData("10m", "20m", "15m", true)]
    [InlineData("10m", "20m", "21m", false)]
    [InlineData("0s", "5m", "6m", false)]
    [InlineData("10m", "", "11m", false)]
    public async Task The_owners_time_for_commands_overrides_up_and_down(string standard, string own, string asked, bool allowed)
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxExecTimeout = Span(standard) });
        await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxExecTimeout = own });
        SandboxInfo info = await fixture.SpawnAsync(owner: "ada");
        var request = new ExecRequest { Command = "true", Timeout = asked };
        Exception? outcome = await Record.ExceptionAsync(() => fixture.Engine.Commands.RunAsync(info.Id, request, Anyone, default).WaitAsync(Patience));
        if (allowed)
            Assert.Null(outcome);
        else
            Assert.Contains("exec timeout exceeds max exec timeout", Assert.IsType<StacyVMException>(outcome).Message);
    }

    [Theory]
    [InlineData("10m", "5m", "0s", "5m")]
    [InlineData("10m", "20m", "0s", "20m")]
    [InlineData("10m", "5m", "7m", "5m")]
    [InlineData("10m", "20m", "7m", "7m")]
    [InlineData("0s", "0s", "0s", "0s")]
    [InlineData("10m", "100000h", "0s", "100000h")]
    public async Task A_command_without_a_timeout_gets_the_effective_maximum(string standard, string own, string preset, string expected)
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxExecTimeout = Span(standard), DefaultExecTimeout = Span(preset) });
        await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxExecTimeout = own });
        SandboxInfo info = await fixture.SpawnAsync(owner: "ada");
        var session = new ScriptedSession();
        ((ScriptedSandbox)await fixture.Sandboxes.LivingAsync(info.Id, Anyone, default)).Exec = _ => session;
        await fixture.Engine.Commands.RunAsync(info.Id, new ExecRequest { Command = "true" }, Anyone, default).WaitAsync(Patience);
        Assert.Equal(Span(expected), session.Spec.Timeout);
    }

    [Fact]
    public async Task A_quota_is_replaced_as_a_whole_keeps_its_age_and_outlives_the_server()
    {
        await using EngineFixture fixture = await OpenAsync();
        OwnerQuota first = await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxSandboxes = 5, MaxTtl = "90m", MaxExecTimeout = "30s" });
        Assert.Equal(("ada", 5, "1h30m0s", "30s"), (first.OwnerId, first.ToInfo().MaxSandboxes, first.ToInfo().MaxTtl, first.ToInfo().MaxExecTimeout));
        fixture.Time.Advance(TimeSpan.FromHours(1));
        OwnerQuota second = await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxSandboxes = 7 });
        Assert.Equal((7, "0s", "0s"), (second.MaxSandboxes, second.ToInfo().MaxTtl, second.ToInfo().MaxExecTimeout));
        Assert.Equal((first.CreatedAt, first.CreatedAt.AddHours(1)), (second.CreatedAt, second.UpdatedAt));
        await fixture.Engine.Quotas.SaveAsync("Zoë", new QuotaRequest());
        await fixture.Engine.Quotas.SaveAsync("bob", new QuotaRequest { MaxTtl = "1h" });

        await fixture.RestartAsync();

        Assert.Equal(["Zoë", "ada", "bob"], fixture.Engine.Quotas.All.Select(quota => quota.OwnerId));
        Assert.Equal(second, fixture.Engine.Quotas.Get("ada"));
        Assert.Equal(new QuotaSummary { Total = 3, WithMaxSandboxes = 1, WithMaxTtl = 1, WithMaxExecTimeout = 0 }, fixture.Engine.Quotas.Summary);
        await fixture.Engine.Quotas.DeleteAsync("ada");
        Assert.Equal(ProblemKind.NotFound, Assert.Throws<StacyVMException>(() => fixture.Engine.Quotas.Get("ada")).Kind);
        Assert.Equal(ProblemKind.NotFound, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Engine.Quotas.DeleteAsync("ada"))).Kind);
        await fixture.RestartAsync();
        Assert.Equal(2, fixture.Engine.Quotas.All.Count);
        Assert.False(fixture.Engine.Admission.UsageOf("ada").QuotaConfigured);
    }

    [Fact]
    public async Task Changes_are_told()
    {
        await using EngineFixture fixture = await OpenAsync();
        await fixture.Engine.Quotas.SaveAsync("ada", new QuotaRequest { MaxSandboxes = 5, MaxTtl = "90m" });
        EventMessage saved = await fixture.EventAsync("quota.saved");
        Assert.Equal(
            new Dictionary<string, string> { ["owner_id"] = "ada", ["max_sandboxes"] = "5", ["max_ttl"] = "1h30m0s", ["max_exec_timeout"] = "0s" }, saved.Data);
        await fixture.Engine.Quotas.DeleteAsync("ada");
        Assert.Equal(new Dictionary<string, string> { ["owner_id"] = "ada" }, (await fixture.EventAsync("quota.deleted")).Data);
    }

    [Theory]
    [InlineData("ada", -1, null, null, "max_sandboxes")]
    [InlineData("ada", 0, "-1s", null, "max_ttl")]
    [InlineData("ada", 0, "500ms", null, "max_ttl")]
    [InlineData("ada", 0, "1500ms", null, "max_ttl")]
    [InlineData("ada", 0, "5", null, "max_ttl")]
    [InlineData("ada", 0, null, "1.2s", "max_exec_timeout")]
    [InlineData("ada", 0, null, "tomorrow", "max_exec_timeout")]
    [InlineData("a/b", 0, null, null, "owner_id")]
    [InlineData("a b", 0, null, null, "owner_id")]
    [InlineData(" ", 0, null, null, "owner_id")]
    public async Task A_bad_quota_is_refused_by_the_name_of_the_field(string owner, int sandboxes, string? ttl, string? exec, string named)
    {
        await using EngineFixture fixture = await OpenAsync();
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Engine.Quotas.SaveAsync(
            owner, new QuotaRequest { MaxSandboxes = sandboxes, MaxTtl = ttl, MaxExecTimeout = exec }));
        Assert.StartsWith($"invalid input: {named}", problem.Message);
        Assert.Empty(fixture.Engine.Quotas.All);
    }

    [Fact]
    public async Task Parallel_changes_leave_memory_and_store_agreed()
    {
        await using EngineFixture fixture = await OpenAsync();
        await Task.WhenAll(Enumerable.Range(0, 60).Select(i => Task.Run(async () =>
        {
            string owner = $"o{i % 3}";
            if (i % 4 == 3)
                await Record.ExceptionAsync(() => fixture.Engine.Quotas.DeleteAsync(owner));
            else
                await fixture.Engine.Quotas.SaveAsync(owner, new QuotaRequest { MaxSandboxes = i + 1 });
        })));
        IReadOnlyList<OwnerQuota> stored = await fixture.Engine.Store.Quotas.LoadAsync(default);
        Assert.Equal(fixture.Engine.Quotas.All, stored.OrderBy(quota => quota.OwnerId, StringComparer.Ordinal));
    }

    private static TimeSpan Span(string text) => StacyVM.Protocol.GoDuration.TryParse(text, out TimeSpan value) ? value : throw new ArgumentException(text);
}
