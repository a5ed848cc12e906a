using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

/// <summary>What is decided before anything is built, on trial and for real, in which order.</summary>
public sealed class AdmissionTests
{
    /// <summary>Every combination of what can be in the way: the first in the order is what is told, by both.</summary>
    [Theory]
    [InlineData(false, false, false, false, null, false)]
    [InlineData(true, false, false, false, "max_ttl", false)]
    [InlineData(true, true, false, false, "max_ttl", false)]
    [InlineData(true, false, true, false, "max_ttl", false)]
    [InlineData(true, true, true, true, "max_ttl", false)]
    [InlineData(false, true, false, false, "worker_unavailable", false)]
    [InlineData(false, true, true, false, "worker_unavailable", false)]
    [InlineData(false, true, true, true, "worker_unavailable", false)]
    [InlineData(false, false, true, false, "max_sandboxes", true)]
    [InlineData(false, false, true, true, "max_sandboxes", true)]
    [InlineData(false, false, false, true, "max_sandboxes_per_owner", true)]
    public async Task The_order_of_decisions(bool tooLong, bool providerDown, bool full, bool ownerFull, string? reason, bool capacity)
    {
        foreach (bool queue in (bool[])[false, true])
        {
            await using EngineFixture fixture = await OpenAsync(defaults => defaults with
            {
                MaxSandboxes = full ? 2 : 9,
                MaxSandboxesPerOwner = ownerFull ? 1 : 5,
                SpawnOverflow = queue ? DefaultsOptions.Queue : "reject",
                MaxSpawnQueue = 1,
            });
            await fixture.SpawnAsync(owner: "ada");
            await fixture.SpawnAsync();
            if (providerDown)
            {
                fixture.Provider.Probe = static _ => Task.FromResult(new ProviderHealth(false, "the daemon does not answer"));
                await fixture.Engine.Providers.ProbeAsync("scripted", default);
            }
            var request = new SpawnRequest { OwnerId = "ada", Ttl = tooLong ? "25h" : "1h" };

            SpawnAdmissionDecision decision = await fixture.Engine.Admission.DecideAsync(request, Anyone, default);

            Assert.Equal((reason is null, reason, capacity && queue), (decision.Allowed, decision.Reason, decision.Queueable));
            bool counted = reason is null || capacity;
            Assert.Equal((counted ? 2 : 0, counted ? (int?)1 : null), (decision.ActiveSandboxes, decision.ActiveOwnerSandboxes));
            Assert.Equal((full ? 2 : 9, ownerFull ? 1 : 5, "24h0m0s"), (decision.MaxSandboxes, decision.MaxOwnerSandboxes, decision.MaxTtl));
            if (reason is null || capacity)
                Assert.Equal(("local", 1, "local_fallback"), (decision.SelectedWorkerId, decision.EligibleWorkers, decision.WorkerReason));
            // For real the same stands in the way; a provider that is down is asked all the same, it may be back.
            if (reason is null || providerDown)
                continue;
            if (capacity && queue)
                _ = fixture.SpawnAsync(owner: "ada").ContinueWith(static done => done.Exception, TaskScheduler.Default);
            StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.CreateAsync(request, Anyone, default).WaitAsync(Patience));
            Assert.Equal(ProblemKind.ResourceLimit, problem.Kind);
            Assert.Contains(
                reason switch { "max_ttl" => "ttl exceeds max ttl", "max_sandboxes" => "max sandboxes reached (2)", _ => "max sandboxes per owner reached (1)" },
                problem.Message);
        }
    }

    [Fact]
    public async Task A_trial_takes_nothing_and_lists_nothing_that_does_not_hold()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxes = 1, MaxTtl = TimeSpan.Zero });
        for (int i = 0; i < 3; i++)
        {
            SpawnAdmissionDecision decision = await fixture.Engine.Admission.DecideAsync(new SpawnRequest(), Anyone, default);
            Assert.Equal((true, false, null, 0, 1), (decision.Allowed, decision.Queueable, decision.Reason, decision.ActiveSandboxes, decision.MaxSandboxes));
            Assert.Equal((null, null, null), (decision.ActiveOwnerSandboxes, decision.MaxOwnerSandboxes, decision.MaxTtl));
        }
        await fixture.SpawnAsync(ttl: "999h");
    }

    [Theory]
    [InlineData("0s", null, null, ProblemKind.InvalidInput)]
    [InlineData("soon", null, null, ProblemKind.InvalidInput)]
    [InlineData(null, "a/b", null, ProblemKind.InvalidInput)]
    [InlineData(null, null, "nowhere", ProblemKind.ProviderNotFound)]
    public async Task A_trial_refuses_what_a_spawn_refuses(string? ttl, string? owner, string? provider, ProblemKind kind)
    {
        await using EngineFixture fixture = await OpenAsync();
        var request = new SpawnRequest { Ttl = ttl, OwnerId = owner, Provider = provider };
        StacyVMException onTrial = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Engine.Admission.DecideAsync(request, Anyone, default));
        StacyVMException forReal = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.CreateAsync(request, Anyone, default));
        Assert.Equal((kind, onTrial.Message), (onTrial.Kind, forReal.Message));
    }

    [Fact]
    public async Task A_refused_spawn_is_counted_as_a_failure_and_told()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxes = 1 });
        await fixture.SpawnAsync();
        StacyVMException refusal = await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync());
        EventMessage told = await fixture.EventAsync("resource.limit");
        Assert.Equal(new Dictionary<string, string> { ["operation"] = "spawn", ["provider"] = "scripted", ["error"] = refusal.Message }, told.Data);
        var spawn = Assert.Single(fixture.Engine.Counters.Snapshot(), count => count.Operation == "spawn");
        Assert.Equal((1L, 1L), (spawn.Successes, spawn.Failures));
    }
}
