using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

public sealed class ExpiryTests
{
    [Fact]
    public async Task A_sandbox_ends_when_its_time_is_up_and_not_before()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "10s");

        fixture.Time.Advance(TimeSpan.FromSeconds(9.9));
        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
        fixture.Time.Advance(TimeSpan.FromSeconds(0.2));

        await fixture.EventAsync("sandbox.destroyed", info.Id);
        Assert.Empty(fixture.World.Runtimes);
    }

    [Fact]
    public async Task Extend_counts_from_now_and_may_shorten()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "1h");
        fixture.Time.Advance(TimeSpan.FromMinutes(1));

        SandboxInfo extended = await fixture.Sandboxes.ExtendAsync(info.Id, TimeSpan.FromMinutes(2), Anyone, default);

        Assert.Equal(fixture.Time.GetUtcNow().UtcDateTime.AddMinutes(2), extended.ExpiresAt);
        fixture.Time.Advance(TimeSpan.FromMinutes(2.1));
        await fixture.EventAsync("sandbox.destroyed", info.Id);
    }

    [Fact]
    public async Task Extend_keeps_to_the_maximum_and_to_what_is_positive()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();

        Assert.Equal(ProblemKind.ResourceLimit, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.ExtendAsync(info.Id, TimeSpan.FromHours(25), Anyone, default))).Kind);
        Assert.Equal(ProblemKind.InvalidInput, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.ExtendAsync(info.Id, TimeSpan.Zero, Anyone, default))).Kind);
        Assert.Equal(ProblemKind.SandboxNotFound, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.ExtendAsync("sb-1", TimeSpan.FromHours(1), Anyone, default))).Kind);
    }

    /// <summary>10,000 renewals, each beside the clock that passes the old end: an accepted one is never followed by death.</summary>
    [Fact]
    public async Task An_accepted_extension_is_never_followed_by_an_expiry_death()
    {
        await using EngineFixture fixture = await OpenAsync();
        int accepted = 0;
        int refused = 0;
        await Parallel.ForEachAsync(Enumerable.Range(0, 10), new ParallelOptions { MaxDegreeOfParallelism = 10 }, async (_, _) =>
        {
            SandboxInfo info = await fixture.SpawnAsync(ttl: "1s");
            for (int round = 0; round < 1_000; round++)
            {
                // Many lanes push one clock, so that the timer of this sandbox may fire before, beside or after its renewal.
                Task clock = Task.Run(() => fixture.Time.Advance(TimeSpan.FromMilliseconds(120)));
                try
                {
                    SandboxInfo renewed = await fixture.Sandboxes.ExtendAsync(info.Id, TimeSpan.FromSeconds(1), Anyone, default);
                    Interlocked.Increment(ref accepted);
                    await clock;
                    if (renewed.ExpiresAt > fixture.Time.GetUtcNow().UtcDateTime)
                    {
                        // Its promised time is not over, as told by a clock that only goes forward.
                        string state = fixture.Sandboxes.List(Anyone).FirstOrDefault(one => one.Id == info.Id)?.State ?? SandboxStates.Destroyed;
                        if (renewed.ExpiresAt > fixture.Time.GetUtcNow().UtcDateTime)
                            Assert.Equal(SandboxStates.Running, state);
                    }
                }
                catch (StacyVMException problem)
                {
                    Assert.Contains(problem.Kind, (ProblemKind[])[ProblemKind.Conflict, ProblemKind.SandboxNotFound, ProblemKind.SandboxDestroyed]);
                    Interlocked.Increment(ref refused);
                    await clock;
                    info = await fixture.SpawnAsync(ttl: "1s");
                }
            }
        });

        Assert.Equal(10_000, accepted + refused);
        Assert.True(accepted > 1_000, $"{accepted} accepted");
    }

    [Fact]
    public async Task Prune_ends_what_has_expired_in_parallel_and_counts_it()
    {
        var all = new TaskCompletionSource();
        int inside = 0;
        await using EngineFixture fixture = await OpenAsync();
        // What a suspended machine leaves: the clock is past the end and no timer has fired.
        for (int i = 0; i < 5; i++)
            await fixture.LeaveBehindAsync(fixture.Record($"sb-{i}", SandboxStates.Running, TimeSpan.FromSeconds(10 + i)));
        for (int i = 0; i < 5; i++)
            fixture.Run($"sb-{i}");
        SandboxInfo stays = await fixture.SpawnAsync(ttl: "1h");
        await fixture.RestartAsync(provider => provider.BeforeRemove = (_, _) =>
        {
            if (Interlocked.Increment(ref inside) == 5)
                all.SetResult();
            return all.Task.WaitAsync(Patience);
        });

        // One that is still being taken up when it ends is let go a second time.
        for (int i = 0; i < 5; i++)
            await fixture.ReconciledAsync($"sb-{i}", "recovered");
        fixture.Time.Advance(TimeSpan.FromSeconds(20));
        int pruned = await fixture.Sandboxes.PruneAsync(Anyone, default).WaitAsync(Patience);

        // Each is ended by prune or by its own timer, once.
        Assert.InRange(pruned, 0, 5);
        for (int i = 0; i < 5; i++)
            await fixture.EventAsync("sandbox.destroyed", $"sb-{i}");
        Assert.Equal(stays.Id, Assert.Single(fixture.Sandboxes.List(Anyone)).Id);
        Assert.Equal(5, fixture.Provider.Removes);
    }
}
