using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

/// <summary>What a new server makes of what the last one left: in the records, and in the world.</summary>
public sealed class RestartTests
{
    [Fact]
    public async Task A_living_sandbox_is_taken_up_again_with_everything_known_of_it()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo before = await fixture.Sandboxes.CreateAsync(
            new SpawnRequest { Ttl = "1h", OwnerId = "ada", Metadata = new() { ["run"] = "7" }, MemoryMb = 256, Vcpus = 2 }, Anyone, default);

        await fixture.RestartAsync();
        ISandbox living = await fixture.Sandboxes.LivingAsync(before.Id, Anyone, default).WaitAsync(Patience);

        Assert.Equal(before.Id, living.Id);
        SandboxInfo after = fixture.Get(before.Id);
        Assert.Equal("7", after.Metadata!["run"]);
        Assert.Equal(before with { Metadata = null }, after with { Metadata = null });
    }

    [Fact]
    public async Task A_call_waits_for_the_recovery_of_its_sandbox_and_the_server_does_not()
    {
        var release = new TaskCompletionSource();
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();

        await fixture.RestartAsync(provider => provider.BeforeRecover = (_, _) => release.Task).WaitAsync(Patience);
        Task<ISandbox> living = fixture.Sandboxes.LivingAsync(info.Id, Anyone, default);

        Assert.False(living.IsCompleted);
        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
        release.SetResult();
        Assert.Equal(info.Id, (await living.WaitAsync(Patience)).Id);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_create_that_was_cut_off_is_removed(bool built)
    {
        await using EngineFixture fixture = await OpenAsync();
        await fixture.LeaveBehindAsync(fixture.Record("sb-half", SandboxStates.Creating));
        if (built)
            fixture.Run("sb-half");

        await fixture.RestartAsync(provider => provider.BeforeRecover = static (_, _) => throw new InvalidOperationException("a half-built sandbox is not recovered"));
        await fixture.Sandboxes.DestroyAsync("sb-half", Anyone, default).WaitAsync(Patience);

        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(await fixture.Engine.Store.LoadAsync(default));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_destroy_that_was_cut_off_is_finished(bool stillThere)
    {
        await using EngineFixture fixture = await OpenAsync();
        await fixture.LeaveBehindAsync(fixture.Record("sb-going", SandboxStates.Destroying));
        if (stillThere)
            fixture.Run("sb-going");

        await fixture.RestartAsync();
        await fixture.EventAsync("sandbox.destroyed", "sb-going");

        Assert.Empty(fixture.World.Runtimes);
        Assert.Empty(fixture.Sandboxes.List(Anyone));
    }

    [Fact]
    public async Task What_expired_while_the_server_was_away_ends()
    {
        await using EngineFixture fixture = await OpenAsync();
        await fixture.LeaveBehindAsync(fixture.Record("sb-late", SandboxStates.Running, TimeSpan.FromMinutes(-1)));
        fixture.Run("sb-late");

        await fixture.RestartAsync();
        await fixture.EventAsync("sandbox.destroyed", "sb-late");

        Assert.Empty(fixture.World.Runtimes);
    }

    [Fact]
    public async Task What_runs_without_a_record_is_removed()
    {
        await using EngineFixture fixture = await OpenAsync();
        var removed = new TaskCompletionSource<string>();

        SandboxInfo ours = await fixture.SpawnAsync();
        await fixture.RestartAsync(provider =>
        {
            fixture.Run("sb-orphan");
            provider.BeforeRemove = (id, _) =>
            {
                removed.TrySetResult(id);
                return Task.CompletedTask;
            };
        });

        Assert.Equal("sb-orphan", await removed.Task.WaitAsync(Patience));
        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);
        Assert.Equal(ours.Id, Assert.Single(fixture.World.Runtimes).Key);
    }

    [Fact]
    public async Task What_ended_while_the_server_was_away_is_stopped_with_a_reason_and_can_be_destroyed()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.World.Runtimes.Clear();

        await fixture.RestartAsync();
        await fixture.ReconciledAsync(info.Id, "marked_stopped");

        SandboxInfo stopped = fixture.Get(info.Id);
        Assert.Equal(SandboxStates.Stopped, stopped.State);
        Assert.Contains("no longer exists", stopped.Reason);
        Assert.Equal(ProblemKind.SandboxGone, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.LivingAsync(info.Id, Anyone, default))).Kind);
        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);
        Assert.Empty(fixture.Sandboxes.List(Anyone));
    }

    [Fact]
    public async Task A_stopped_sandbox_still_expires()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "10m");
        fixture.World.Runtimes.Clear();
        await fixture.RestartAsync();
        await fixture.ReconciledAsync(info.Id, "marked_stopped");

        fixture.Time.Advance(TimeSpan.FromMinutes(11));

        await fixture.EventAsync("sandbox.destroyed", info.Id);
    }

    [Fact]
    public async Task A_provider_that_is_down_at_the_start_makes_its_sandboxes_unhealthy_and_never_gone()
    {
        bool down = true;
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "10h");
        Task Answer() => down ? throw ScriptedProvider.Down() : Task.CompletedTask;

        await fixture.RestartAsync(provider =>
        {
            provider.BeforeRecover = (_, _) => Answer();
            provider.BeforeList = _ => Answer();
        });
        await fixture.ReconciledAsync(info.Id, "marked_unhealthy");

        Assert.Equal(SandboxStates.Unhealthy, fixture.Get(info.Id).State);
        Assert.Contains("the daemon does not answer", fixture.Get(info.Id).Reason);
        Assert.Equal(ProblemKind.ProviderUnavailable, (await Assert.ThrowsAsync<StacyVMException>(
            () => fixture.Sandboxes.LivingAsync(info.Id, Anyone, default).WaitAsync(Patience))).Kind);
        down = false;
        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);
        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
        Assert.Null(fixture.Get(info.Id).Reason);
        await fixture.Sandboxes.LivingAsync(info.Id, Anyone, default);
    }

    [Fact]
    public async Task A_provider_that_goes_down_later_makes_its_sandboxes_unhealthy_until_it_is_back()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "10h");
        fixture.Provider.BeforeList = static _ => throw ScriptedProvider.Down();

        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);
        SandboxInfo unhealthy = fixture.Get(info.Id);
        fixture.Provider.BeforeList = static _ => Task.CompletedTask;
        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);

        Assert.Equal(SandboxStates.Unhealthy, unhealthy.State);
        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
    }

    [Fact]
    public async Task A_list_that_hangs_is_given_up()
    {
        var asked = new TaskCompletionSource();
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "10h");
        fixture.Provider.BeforeList = _ =>
        {
            asked.TrySetResult();
            return Task.Delay(Timeout.Infinite, CancellationToken.None);
        };

        Task round = fixture.Sandboxes.ReconcileAsync();
        await asked.Task.WaitAsync(Patience);
        fixture.Time.Advance(TimeSpan.FromMinutes(1));
        await round.WaitAsync(Patience);

        Assert.Equal(SandboxStates.Unhealthy, fixture.Get(info.Id).State);
    }

    [Fact]
    public async Task A_lying_list_ends_no_life()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.Provider.Unlisted[info.Id] = true;

        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);

        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
        Assert.Single(fixture.World.Runtimes);
    }

    [Fact]
    public async Task A_lying_removal_is_found_out_and_repeated()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        ScriptedRuntime runtime = fixture.World.Runtimes[info.Id];

        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);
        // It said that it was gone.
        fixture.World.Runtimes[info.Id] = runtime;
        fixture.Time.Advance(TimeSpan.FromMilliseconds(1));
        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);

        Assert.Empty(fixture.World.Runtimes);
    }

    [Fact]
    public async Task A_sandbox_that_dies_while_the_server_runs_is_marked_with_the_reason()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.World.Runtimes[info.Id].Running = false;

        await fixture.Sandboxes.ReconcileAsync().WaitAsync(Patience);

        Assert.Equal((SandboxStates.Stopped, "exit code 137, out of memory"), (fixture.Get(info.Id).State, fixture.Get(info.Id).Reason));
        Assert.Equal(info.Id, (await fixture.Sandboxes.InspectAsync(info.Id, Anyone, default)).Id);
    }

    [Fact]
    public async Task A_provider_that_is_not_enabled_any_more_leaves_its_sandboxes_in_error()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "10h");

        await fixture.RestartAsync(options: options => options with { Providers = options.Providers with { Default = "other" } }, providerName: "other");
        await fixture.ReconciledAsync(info.Id, "marked_error");

        Assert.Equal(SandboxStates.Error, fixture.Get(info.Id).State);
        Assert.Contains("not enabled", (await Assert.ThrowsAsync<StacyVMException>(() => fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default))).Message);
        Assert.Single(fixture.World.Runtimes);
        await fixture.RestartAsync(options: options => options with { Providers = options.Providers with { Default = "scripted" } });
        await fixture.EventAsync("sandbox.destroyed", info.Id);
        Assert.Empty(fixture.World.Runtimes);
    }

    [Fact]
    public async Task Recovered_sandboxes_count_against_the_limit()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxSandboxes = 1 });
        await fixture.SpawnAsync();

        await fixture.RestartAsync();

        Assert.Equal(ProblemKind.ResourceLimit, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync())).Kind);
    }

    [Fact]
    public async Task An_ordered_stop_leaves_sandboxes_running_and_gives_up_creates()
    {
        var building = new TaskCompletionSource();
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo running = await fixture.SpawnAsync();
        fixture.Provider.AfterCreate = (_, cancellation) =>
        {
            building.SetResult();
            return Task.Delay(Timeout.Infinite, cancellation);
        };
        Task<SandboxInfo> create = fixture.SpawnAsync();
        await building.Task.WaitAsync(Patience);

        await fixture.Engine.StopAsync(default).WaitAsync(Patience);

        await Assert.ThrowsAsync<StacyVMException>(() => create);
        Assert.Equal(running.Id, Assert.Single(fixture.World.Runtimes).Key);
        Assert.Equal(ProblemKind.Unavailable, (await Assert.ThrowsAsync<StacyVMException>(() => fixture.SpawnAsync())).Kind);
    }

    [Fact]
    public async Task Two_servers_cannot_share_a_data_directory()
    {
        await using EngineFixture fixture = await OpenAsync();

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => StacyVM.Engine.StacyEngine.OpenAsync(
            fixture.Options, static () => new MemoryStream([1]), Microsoft.Extensions.Logging.Abstractions.NullLoggerFactory.Instance, fixture.Time, []));

        Assert.Contains($"process {Environment.ProcessId}", problem.Message);
        Assert.Contains(fixture.Options.DataDir, problem.Message);
    }
}
