using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Tests.Sandboxes;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Checkpoints;

public sealed class CheckpointTests
{
    private static readonly Caller Ada = new("api", "ada", null, "ada") { IsIsolated = true };
    private static readonly Caller Eve = new("api", "eve", null, "eve") { IsIsolated = true };

    [Fact]
    public async Task A_sandbox_starts_from_a_checkpoint_with_all_that_the_first_one_had()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.Sandboxes.CreateAsync(
            new SpawnRequest { Image = "debian:12", MemoryMb = 256, Vcpus = 2, Metadata = new() { ["a"] = "1", ["b"] = "2" } }, Ada, default);

        CheckpointInfo made = await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "prepared", Ada, default);
        Assert.Equal(("prepared", "ready", "files", "debian:12", 1000L, "ada", parent.Id), (made.Name, made.State, made.Content, made.Image, made.SizeBytes, made.OwnerId, made.SandboxId));
        await fixture.EventAsync("checkpoint.created", parent.Id);
        await fixture.Sandboxes.DestroyAsync(parent.Id, Ada, default);

        SandboxInfo child = await fixture.Sandboxes.CreateAsync(
            new SpawnRequest { Checkpoint = "prepared", Image = "alpine:latest", Vcpus = 3, Metadata = new() { ["b"] = "3" } }, Ada, default);
        Assert.Equal(("debian:12", 256, 3, "ada", "prepared", parent.Id), (child.Image, child.MemoryMb, child.Vcpus, child.OwnerId, child.Checkpoint, child.ParentSandbox));
        Assert.Equal(("1", "3"), (child.Metadata!["a"], child.Metadata["b"]));
        Assert.Equal(made.Id, fixture.World.Runtimes[child.Id].Checkpoint);

        CheckpointInfo grandchild = await fixture.Engine.CheckpointWork.CreateAsync(child.Id, "again", Ada, default);
        Assert.Equal("prepared", grandchild.ParentCheckpoint);
        await fixture.Engine.CheckpointWork.DeleteAsync("prepared", Ada, default);
        await fixture.EventAsync("checkpoint.deleted", parent.Id);
        Assert.Equal(["again"], fixture.Engine.Checkpoints.List(Ada).Select(one => one.Name));
        Assert.Equal(SandboxStates.Running, fixture.Sandboxes.Get(child.Id, Ada).State);
    }

    [Fact]
    public async Task What_is_known_of_checkpoints_and_of_descent_survives_a_restart()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        CheckpointInfo made = await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "kept", Anyone, default);
        SandboxInfo child = await fixture.Sandboxes.CreateAsync(new SpawnRequest { Checkpoint = made.Id }, Anyone, default);
        await fixture.RestartAsync();
        Assert.Equal(made, Assert.Single(fixture.Engine.Checkpoints.List(Anyone)));
        Assert.Equal(("kept", parent.Id), (fixture.Get(child.Id).Checkpoint, fixture.Get(child.Id).ParentSandbox));
        Assert.Equal("kept", (await fixture.Sandboxes.CreateAsync(new SpawnRequest { Checkpoint = "kept" }, Anyone, default)).Checkpoint);
    }

    [Fact]
    public async Task Owners_see_only_their_own_and_names_are_theirs_alone()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo adas = await fixture.Sandboxes.CreateAsync(new SpawnRequest(), Ada, default);
        SandboxInfo eves = await fixture.Sandboxes.CreateAsync(new SpawnRequest(), Eve, default);
        CheckpointInfo first = await fixture.Engine.CheckpointWork.CreateAsync(adas.Id, "same", Ada, default);
        await FailsAsync(ProblemKind.NotFound, () => fixture.Sandboxes.CreateAsync(new SpawnRequest { Checkpoint = "same" }, Eve, default));
        await FailsAsync(ProblemKind.NotFound, () => fixture.Sandboxes.CreateAsync(new SpawnRequest { Checkpoint = first.Id }, Eve, default));
        await FailsAsync(ProblemKind.NotFound, () => fixture.Engine.CheckpointWork.DeleteAsync(first.Id, Eve, default));
        await FailsAsync(ProblemKind.SandboxNotFound, () => fixture.Engine.CheckpointWork.CreateAsync(adas.Id, "/", Eve, default));
        await fixture.Engine.CheckpointWork.CreateAsync(eves.Id, "same", Eve, default);
        await FailsAsync(ProblemKind.Conflict, () => fixture.Engine.CheckpointWork.CreateAsync(adas.Id, "same", Ada, default));
        Assert.Equal("ada", fixture.Engine.Checkpoints.Get("same", Ada).OwnerId);
        await FailsAsync(ProblemKind.Conflict, () => Task.FromResult(fixture.Engine.Checkpoints.Get("same", Anyone)));
        Assert.Equal(2, fixture.World.Checkpoints.Count);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".hidden")]
    [InlineData("a/b")]
    [InlineData("a b")]
    [InlineData("ü")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123")]
    public async Task A_bad_name_is_refused_before_anything_is_saved(string name)
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        await FailsAsync(ProblemKind.InvalidInput, () => fixture.Engine.CheckpointWork.CreateAsync(parent.Id, name, Anyone, default));
        Assert.Empty(fixture.World.Checkpoints);
    }

    [Fact]
    public async Task What_contradicts_the_checkpoint_is_refused()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "one", Anyone, default);
        foreach (SpawnRequest request in (SpawnRequest[])[new() { Image = "debian:12" }, new() { Provider = "other" }, new() { Template = "t" }])
            await FailsAsync(ProblemKind.InvalidInput, () => fixture.Sandboxes.CreateAsync(request with { Checkpoint = "one" }, Anyone, default));
    }

    [Fact]
    public async Task A_save_that_fails_leaves_no_record_and_its_name_free()
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with { MaxCheckpoints = 1 });
        SandboxInfo parent = await fixture.SpawnAsync();
        fixture.Provider.BeforeSave = (_, _) => throw new StacyVMException(ProblemKind.StorageFull, "full");
        await FailsAsync(ProblemKind.StorageFull, () => fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "one", Anyone, default));
        Assert.Empty(await fixture.Engine.Store.Checkpoints.LoadAsync(default));
        fixture.Provider.BeforeSave = static (_, _) => Task.CompletedTask;
        await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "one", Anyone, default);
        await FailsAsync(ProblemKind.ResourceLimit, () => fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "two", Anyone, default));
    }

    [Fact]
    public async Task While_something_starts_from_it_a_checkpoint_is_not_deleted()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "one", Anyone, default);
        var begun = new TaskCompletionSource();
        var release = new TaskCompletionSource();
        fixture.Provider.BeforeRestore = (_, _) =>
        {
            begun.SetResult();
            return release.Task;
        };
        Task<SandboxInfo> spawning = fixture.Sandboxes.CreateAsync(new SpawnRequest { Checkpoint = "one" }, Anyone, default);
        await begun.Task.WaitAsync(Patience);
        await FailsAsync(ProblemKind.Conflict, () => fixture.Engine.CheckpointWork.DeleteAsync("one", Anyone, default));
        release.SetResult();
        await spawning.WaitAsync(Patience);
        await fixture.Engine.CheckpointWork.DeleteAsync("one", Anyone, default);
        Assert.Empty(fixture.World.Checkpoints);
    }

    [Fact]
    public async Task A_restart_removes_what_was_half_made_and_what_nobody_knows_and_marks_what_is_lost()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        CheckpointInfo lost = await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "lost", Anyone, default);
        CheckpointInfo kept = await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "kept", Anyone, default);
        CheckpointRecord record = fixture.Engine.Checkpoints.Get("kept", Anyone);
        await fixture.Engine.Store.Checkpoints.SaveAsync(record with { Id = "cp-half", Name = "half", State = CheckpointStates.Creating });
        await fixture.Engine.Store.Checkpoints.SaveAsync(record with { Id = "cp-fork", Name = "" });
        await fixture.Engine.Store.Checkpoints.SaveAsync(record with { Id = "cp-going", Name = "going", State = CheckpointStates.Deleting });
        foreach (string id in (string[])["cp-half", "cp-fork", "cp-going", "cp-orphan"])
            fixture.World.Checkpoints[id] = parent.Id;
        fixture.World.Checkpoints.TryRemove(lost.Id, out _);

        await fixture.RestartAsync();
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while ((fixture.World.Checkpoints.Count > 1 || fixture.Engine.Checkpoints.All.Count > 2 || fixture.Engine.Checkpoints.Get("lost", Anyone).State != CheckpointStates.Missing)
            && Environment.TickCount64 < end)
            await Task.Delay(10);

        Assert.Equal([kept.Id], fixture.World.Checkpoints.Keys);
        Assert.Equal(["kept", "lost"], (await fixture.Engine.Store.Checkpoints.LoadAsync(default)).Select(one => one.Name).Order());
        Assert.Equal(CheckpointStates.Ready, fixture.Engine.Checkpoints.Get("kept", Anyone).State);
        StacyVMException problem = await FailsAsync(ProblemKind.Conflict, () => fixture.Sandboxes.CreateAsync(new SpawnRequest { Checkpoint = "lost" }, Anyone, default));
        Assert.Contains("removed by someone else", problem.Message, StringComparison.Ordinal);
        await fixture.Engine.CheckpointWork.DeleteAsync("lost", Anyone, default);
    }

    [Fact]
    public async Task A_checkpoint_of_which_the_files_cannot_be_removed_is_gone_for_clients_and_tried_again()
    {
        await using EngineFixture fixture = await OpenAsync();
        SandboxInfo parent = await fixture.SpawnAsync();
        await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "one", Anyone, default);
        fixture.Provider.BeforeRemoveCheckpoint = static (_, _) => throw ScriptedProvider.Down();
        await FailsAsync(ProblemKind.ProviderUnavailable, () => fixture.Engine.CheckpointWork.DeleteAsync("one", Anyone, default));
        Assert.Empty(fixture.Engine.Checkpoints.List(Anyone));
        await fixture.Engine.CheckpointWork.CreateAsync(parent.Id, "one", Anyone, default);
        await fixture.RestartAsync();
        long end = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (fixture.World.Checkpoints.Count > 1 && Environment.TickCount64 < end)
            await Task.Delay(10);
        Assert.Single(fixture.World.Checkpoints);
        Assert.Single(fixture.Engine.Checkpoints.List(Anyone));
    }

    internal static async Task<StacyVMException> FailsAsync(ProblemKind kind, Func<Task> action)
    {
        StacyVMException problem = await Assert.ThrowsAnyAsync<StacyVMException>(action);
        Assert.True(problem.Kind == kind, $"{kind} expected, but: {problem.Kind}: {problem.Message}");
        return problem;
    }
}
