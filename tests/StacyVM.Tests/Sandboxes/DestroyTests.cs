using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

public sealed class DestroyTests
{
    [Fact]
    public async Task Destroy_removes_runtime_record_and_place()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();

        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);

        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(fixture.Sandboxes.List(Anyone));
        Assert.Empty(await fixture.Engine.Store.LoadAsync(default));
        await fixture.EventAsync("sandbox.destroyed", info.Id);
        Assert.Equal(ProblemKind.SandboxDestroyed, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.LivingAsync(info.Id, Anyone, default))).Kind);
    }

    [Fact]
    public async Task Destroy_twice_and_destroy_of_an_unknown_id_are_not_errors()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();

        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);
        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);
        await fixture.Sandboxes.DestroyAsync("sb-0000000000000000", Anyone, default);

        Assert.Equal(1, fixture.Provider.Removes);
    }

    [Fact]
    public async Task Destroys_of_one_sandbox_at_once_are_one_removal()
    {
        var release = new TaskCompletionSource();
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.Provider.BeforeRemove = (_, _) => release.Task;

        Task[] destroys = [.. Enumerable.Range(0, 16).Select(_ => fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default))];
        release.SetResult();
        await Task.WhenAll(destroys).WaitAsync(Patience);

        Assert.Equal(1, fixture.Provider.Removes);
    }

    [Fact]
    public async Task A_failed_destroy_stays_destroying_with_its_reason_and_is_repeated_until_it_works()
    {
        int failures = 2;
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.Provider.BeforeRemove = (_, _) => failures-- > 0 ? throw ScriptedProvider.Down() : Task.CompletedTask;

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default));

        Assert.Contains("stays destroying", problem.Message);
        SandboxInfo left = fixture.Get(info.Id);
        Assert.Equal(SandboxStates.Destroying, left.State);
        Assert.Contains("the daemon does not answer", left.Reason);
        Assert.Equal(SandboxStates.Destroying, Assert.Single(await fixture.Engine.Store.LoadAsync(default)).State);
        Assert.Single(fixture.World.Runtimes);
        Task<EventMessage> gone = fixture.EventAsync("sandbox.destroyed", info.Id);
        while (!gone.IsCompleted)
        {
            fixture.Time.Advance(TimeSpan.FromSeconds(1));
            await Task.Yield();
        }
        await gone;
        Assert.Empty(fixture.World.Runtimes);
        Assert.Equal(3, fixture.Provider.Removes);
    }

    [Fact]
    public async Task A_failed_destroy_can_be_repeated_by_hand_without_waiting()
    {
        bool fails = true;
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.Provider.BeforeRemove = (_, _) => fails ? throw ScriptedProvider.Down() : Task.CompletedTask;
        await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default));

        fails = false;
        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);

        Assert.Empty(fixture.Sandboxes.List(Anyone));
    }

    [Fact]
    public async Task A_destroy_that_hangs_fails_in_the_end_and_does_not_hold_up_others()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo stuck = await fixture.SpawnAsync();
        SandboxInfo other = await fixture.SpawnAsync();
        var reached = new TaskCompletionSource();
        fixture.Provider.BeforeRemove = (id, _) =>
        {
            if (id != stuck.Id)
                return Task.CompletedTask;
            reached.TrySetResult();
            return Task.Delay(Timeout.Infinite, CancellationToken.None);
        };

        Task destroy = fixture.Sandboxes.DestroyAsync(stuck.Id, Anyone, default);
        await reached.Task.WaitAsync(Patience);
        await fixture.Sandboxes.DestroyAsync(other.Id, Anyone, default).WaitAsync(Patience);
        fixture.Time.Advance(TimeSpan.FromMinutes(2));

        await Assert.ThrowsAsync<StacyVMException>(() => destroy.WaitAsync(Patience));
        Assert.Equal(SandboxStates.Destroying, fixture.Get(stuck.Id).State);
        fixture.Provider.BeforeRemove = static (_, _) => Task.CompletedTask;
    }

    [Fact]
    public async Task Destroy_during_create_cancels_it_and_waits_for_it()
    {
        var building = new TaskCompletionSource<string>();
        bool undone = false;
        await using EngineFixture fixture = await OpenAsync();
        fixture.Provider.AfterCreate = async (id, cancellation) =>
        {
            building.SetResult(id);
            try
            {
                await Task.Delay(Timeout.Infinite, cancellation);
            }
            finally
            {
                undone = true;
            }
        };
        Task<SandboxInfo> create = fixture.SpawnAsync();
        string id = await building.Task.WaitAsync(Patience);

        await fixture.Sandboxes.DestroyAsync(id, Anyone, default).WaitAsync(Patience);

        Assert.True(undone);
        Assert.Empty(fixture.World.Runtimes);
        Assert.Equal(ProblemKind.Conflict, (await Assert.ThrowsAsync<StacyVMException>(() => create)).Kind);
        Assert.Empty(fixture.Sandboxes.List(Anyone));
    }

    [Fact]
    public async Task A_create_that_ignores_its_destroy_is_destroyed_when_it_is_done()
    {
        var building = new TaskCompletionSource<string>();
        var release = new TaskCompletionSource();
        await using EngineFixture fixture = await OpenAsync();
        fixture.Provider.AfterCreate = (id, _) =>
        {
            building.SetResult(id);
            return release.Task;
        };
        Task<SandboxInfo> create = fixture.SpawnAsync();
        string id = await building.Task.WaitAsync(Patience);

        Task destroy = fixture.Sandboxes.DestroyAsync(id, Anyone, default);
        Assert.False(destroy.IsCompleted);
        release.SetResult();
        await destroy.WaitAsync(Patience);

        await Assert.ThrowsAsync<StacyVMException>(() => create);
        Assert.Empty(fixture.World.Runtimes);
    }

    [Fact]
    public async Task What_is_created_or_destroyed_now_cannot_be_used()
    {
        var building = new TaskCompletionSource<string>();
        var release = new TaskCompletionSource();
        await using EngineFixture fixture = await OpenAsync();
        fixture.Provider.AfterCreate = (id, _) =>
        {
            building.SetResult(id);
            return release.Task;
        };
        Task<SandboxInfo> create = fixture.SpawnAsync();
        string id = await building.Task.WaitAsync(Patience);

        Assert.Equal(SandboxStates.Creating, fixture.Get(id).State);
        Assert.Equal(ProblemKind.Conflict, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.LivingAsync(id, Anyone, default))).Kind);
        Assert.Equal(ProblemKind.Conflict, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.ExtendAsync(id, TimeSpan.FromMinutes(1), Anyone, default))).Kind);
        release.SetResult();
        await create;
        var removing = new TaskCompletionSource();
        var removed = new TaskCompletionSource();
        fixture.Provider.BeforeRemove = (_, _) =>
        {
            removing.SetResult();
            return removed.Task;
        };
        Task destroy = fixture.Sandboxes.DestroyAsync(id, Anyone, default);
        await removing.Task.WaitAsync(Patience);
        Assert.Equal(ProblemKind.Conflict, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.LivingAsync(id, Anyone, default))).Kind);
        removed.SetResult();
        await destroy;
    }
}
