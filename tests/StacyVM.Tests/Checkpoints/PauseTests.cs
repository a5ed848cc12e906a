using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Tests.Sandboxes;
using Xunit;
using static StacyVM.Tests.Checkpoints.CheckpointTests;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Checkpoints;

public sealed class PauseTests
{
    [Fact]
    public async Task A_paused_sandbox_says_so_and_takes_no_command_until_it_is_resumed()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        for (int time = 0; time < 2; time++)
            Assert.Equal(SandboxStates.Paused, (await fixture.Sandboxes.PauseAsync(info.Id, Anyone, default)).State);
        await fixture.EventAsync("sandbox.paused", info.Id);
        StacyVMException problem = await FailsAsync(ProblemKind.Conflict, () => fixture.Engine.Commands.RunAsync(info.Id, new ExecRequest { Command = "true" }, Anyone, default));
        Assert.Contains("resume it", problem.Message, StringComparison.Ordinal);
        await FailsAsync(ProblemKind.Conflict, () => fixture.Engine.Files.ListAsync(info.Id, "/workspace", Anyone, default));
        await FailsAsync(ProblemKind.Conflict, () => fixture.Engine.CheckpointWork.CreateAsync(info.Id, "one", Anyone, default));
        for (int time = 0; time < 2; time++)
            Assert.Equal(SandboxStates.Running, (await fixture.Sandboxes.ResumeAsync(info.Id, Anyone, default)).State);
        await fixture.EventAsync("sandbox.resumed", info.Id);
        await fixture.Sandboxes.LivingAsync(info.Id, Anyone, default);
    }

    [Fact]
    public async Task It_stays_paused_over_restarts_and_rounds_and_ends_when_its_time_is_up()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync(ttl: "10m");
        await fixture.Sandboxes.PauseAsync(info.Id, Anyone, default);
        await fixture.Sandboxes.ReconcileAsync();
        Assert.Equal(SandboxStates.Paused, fixture.Get(info.Id).State);
        await fixture.RestartAsync();
        await fixture.Sandboxes.InspectAsync(info.Id, Anyone, default);
        await fixture.Sandboxes.ReconcileAsync();
        Assert.Equal(SandboxStates.Paused, fixture.Get(info.Id).State);
        fixture.Time.Advance(TimeSpan.FromMinutes(11));
        await fixture.EventAsync("sandbox.destroyed", info.Id);
        Assert.Empty(fixture.World.Runtimes);
    }

    [Fact]
    public async Task The_level_has_the_last_word()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.World.Runtimes[info.Id].Paused = true;
        // Asked about only where there is doubt: a list does not tell.
        fixture.Sandboxes.Doubt(info.Id);
        await fixture.ReconciledAsync(info.Id, "marked_paused");
        fixture.World.Runtimes[info.Id].Paused = false;
        await fixture.Sandboxes.ReconcileAsync();
        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
    }

    [Fact]
    public async Task A_pause_that_fails_leaves_it_running()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo info = await fixture.SpawnAsync();
        fixture.Provider.BeforePause = static (_, _) => throw ScriptedProvider.Down();
        await FailsAsync(ProblemKind.ProviderUnavailable, () => fixture.Sandboxes.PauseAsync(info.Id, Anyone, default));
        Assert.Equal(SandboxStates.Running, fixture.Get(info.Id).State);
        await fixture.Sandboxes.DestroyAsync(info.Id, Anyone, default);
        await FailsAsync(ProblemKind.SandboxDestroyed, () => fixture.Sandboxes.PauseAsync(info.Id, Anyone, default));
    }
}
