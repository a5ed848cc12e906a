using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Tests.Sandboxes;
using Xunit;
using static StacyVM.Tests.Checkpoints.CheckpointTests;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Checkpoints;

public sealed class ForkTests
{
    private static readonly Caller Operator = new("operator", null, null, "operator");

    [Fact]
    public async Task Forks_are_sandboxes_of_their_own_for_the_owner_of_the_first()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.Sandboxes.CreateAsync(
            new SpawnRequest { OwnerId = "ada", MemoryMb = 256, Metadata = new() { ["a"] = "1" } }, Operator with { Tenant = "blue" }, default);
        ForkResult forked = await fixture.Engine.Forks.ForkAsync(parent.Id, new ForkRequest { Count = 5, Ttl = "10m", Metadata = new() { ["b"] = "2" } }, Operator, default);
        Assert.Null(forked.Failures);
        Assert.Equal(5, forked.Sandboxes.Select(child => child.Id).Append(parent.Id).Distinct().Count() - 1);
        Assert.All(forked.Sandboxes, child => Assert.Equal(
            ("ada", "blue", 256, parent.Id, null, "1", "2", fixture.Time.GetUtcNow().UtcDateTime.AddMinutes(10)),
            (child.OwnerId, child.TenantId, child.MemoryMb, child.ParentSandbox, child.Checkpoint, child.Metadata!["a"], child.Metadata["b"], child.ExpiresAt)));
        Assert.Empty(fixture.World.Checkpoints);
        Assert.Empty(fixture.Engine.Checkpoints.All);
        await fixture.EventAsync("sandbox.forked", parent.Id);
    }

    [Fact]
    public async Task Those_that_find_a_place_come_and_nothing_stays_of_the_others()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxesPerOwner = 3 });
        SandboxInfo parent = await fixture.SpawnAsync(owner: "ada");
        ForkResult forked = await fixture.Engine.Forks.ForkAsync(parent.Id, new ForkRequest { Count = 4 }, Operator, default);
        Assert.Equal((2, 2), (forked.Sandboxes.Count, forked.Failures!.Count));
        Assert.All(forked.Failures, failure => Assert.Equal("RESOURCE_LIMIT", failure.Code));
        Assert.Equal(3, fixture.World.Runtimes.Count);
        await FailsAsync(ProblemKind.ResourceLimit, () => fixture.Engine.Forks.ForkAsync(parent.Id, new ForkRequest(), Operator, default));
        Assert.Empty(fixture.World.Checkpoints);
    }

    [Fact]
    public async Task A_client_that_leaves_gets_none()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        using var leaving = new CancellationTokenSource();
        int restored = 0;
        fixture.Provider.BeforeRestore = async (_, cancellation) =>
        {
            if (Interlocked.Increment(ref restored) == 3)
            {
                await leaving.CancelAsync();
                cancellation.ThrowIfCancellationRequested();
            }
        };
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fixture.Engine.Forks.ForkAsync(parent.Id, new ForkRequest { Count = 5 }, Operator, leaving.Token).WaitAsync(Patience));
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (fixture.World.Runtimes.Count > 1 && Environment.TickCount64 < end)
            await Task.Delay(10);
        Assert.Equal([parent.Id], fixture.World.Runtimes.Keys);
        Assert.Empty(fixture.World.Checkpoints);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(101)]
    public async Task An_odd_count_is_refused(int count)
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        await FailsAsync(ProblemKind.InvalidInput, () => fixture.Engine.Forks.ForkAsync(parent.Id, new ForkRequest { Count = count }, Operator, default));
    }
}
