using System.Text;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    private readonly List<string> _checkpoints = [];

    [Fact]
    public async Task What_was_saved_comes_back_in_a_new_sandbox_and_the_old_one_runs_on()
    {
        ICheckpoints level = Checkpointing();
        ISandbox parent = await CreateAsync();
        byte[] content = new byte[3_000_001];
        new Random(7).NextBytes(content);
        await parent.Files.WriteAsync("/workspace/a/deep/file", new MemoryStream(content), 0x1E8, Stop);
        Assert.Equal(0, (await parent.ShellAsync("ln a/deep/file second && ln -s a/deep/file link && ln -s nowhere dangling && mkfifo pipe && truncate -s 100M sparse && printf end >>sparse && mkdir closed && echo kept >closed/file && chmod 000 closed/file && chmod 500 closed", Stop)).Code);
        await using IExecSession counter = await parent.StartAsync(Shell("i=0; while :; do i=$((i+1)); echo $i; sleep 0.05; done"), Stop);
        await counter.ReadUntilAsync("1\n", Stop);

        string checkpoint = NewCheckpoint();
        long bytes = await level.SaveAsync(parent.Id, checkpoint, Stop);
        // A memory is written down with it, but no hole of the disk.
        Assert.InRange(bytes, 3_000_000, (KeepsLayout ? 90_000_000 : 200_000_000) + (level.Content == CheckpointContent.Memory ? (long)Spec.MemoryMb << 20 : 0));
        Assert.Equal([checkpoint], await level.ListCheckpointsAsync(Stop));
        await WriteAsync(parent, "/workspace/later", "later");

        ISandbox child = await level.RestoreAsync(NewId(), checkpoint, Spec, null, Stop);
        Assert.Equal(content, await ReadAsync(child, "/workspace/a/deep/file"));
        string holes = KeepsLayout ? "[ $(stat -c %b sparse) -lt 1000 ]" : "true";
        string links = KeepsLayout ? "echo more >>a/deep/file && cmp a/deep/file second" : "true";
        Outcome seen = await child.ShellAsync(
            $"cmp a/deep/file second && cmp a/deep/file link && [ a/deep/file -ef second ] && [ -p pipe ] && [ -L dangling ] && stat -c %a a/deep/file closed closed/file && stat -c %s sparse && {holes} && [ ! -e later ] && chmod 700 closed && chmod 600 closed/file && cat closed/file && {links}", Stop);
        Assert.Equal(("", "750\n500\n0\n104857603\nkept\n"), (seen.Error, seen.Output));
        Assert.Equal("104857603\n", (await parent.ShellAsync("stat -c %s sparse", Stop)).Output);
        Assert.Equal(content, await ReadAsync(parent, "/workspace/second"));
        await counter.ReadUntilAsync("\n", Stop);
        if (level.Content == CheckpointContent.Files)
            Assert.Empty(await Assert.IsAssignableFrom<IKeepsProcesses>(child).ListProcessesAsync(Stop));

        await level.RemoveCheckpointAsync(checkpoint, Stop);
        await level.RemoveCheckpointAsync(checkpoint, Stop);
        Assert.Empty(await level.ListCheckpointsAsync(Stop));
        Assert.Equal("kept\n", (await child.ShellAsync("cat closed/file", Stop)).Output);
        await FailsAsync(ProblemKind.NotFound, () => level.RestoreAsync(NewId(), checkpoint, Spec, null, Stop));
    }

    [Fact]
    public async Task Many_sandboxes_begin_with_one_checkpoint_and_share_nothing()
    {
        ICheckpoints level = Checkpointing();
        ISandbox parent = await CreateAsync();
        await WriteAsync(parent, "/workspace/file", "same");
        string checkpoint = NewCheckpoint();
        await level.SaveAsync(parent.Id, checkpoint, Stop);
        await parent.DestroyAsync(Stop);
        ISandbox[] children = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => level.RestoreAsync(NewId(), checkpoint, Spec, null, Stop)));
        foreach (ISandbox child in children)
            Assert.Equal("same", Encoding.UTF8.GetString(await ReadAsync(child, "/workspace/file")));
        await Task.WhenAll(children.Select(child => WriteAsync(child, "/workspace/file", child.Id)));
        foreach (ISandbox child in children)
        {
            Assert.Equal(child.Id, (await child.ShellAsync("cat file", Stop)).Output);
            if (Isolates)
                Assert.Equal($"{child.Id}\n", (await child.RunAsync(Stop, "hostname")).Output);
        }
        Outcome[] random = await Task.WhenAll(children.Select(child => child.ShellAsync("head -c 16 /dev/urandom | od -An -tx1", Stop)));
        Assert.Equal(children.Length, random.Select(outcome => outcome.Output).Distinct().Count());
        string again = NewCheckpoint();
        await level.SaveAsync(children[0].Id, again, Stop);
        ISandbox grandchild = await level.RestoreAsync(NewId(), again, Spec, null, Stop);
        Assert.Equal(children[0].Id, Encoding.UTF8.GetString(await ReadAsync(grandchild, "/workspace/file")));
    }

    [Fact]
    public async Task A_save_that_cannot_be_made_leaves_nothing_and_the_sandbox_running()
    {
        ICheckpoints level = Checkpointing();
        await FailsAsync(ProblemKind.SandboxGone, () => level.SaveAsync(NewId(), NewCheckpoint(), Stop));
        ISandbox sandbox = await CreateAsync();
        using var abandoned = new CancellationTokenSource();
        await abandoned.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => level.SaveAsync(sandbox.Id, NewCheckpoint(), abandoned.Token));
        Assert.Empty(await level.ListCheckpointsAsync(Stop));
        Assert.Equal("runs\n", (await sandbox.RunAsync(Stop, "echo", "runs")).Output);
        Assert.Equal(RuntimeState.Running, (await sandbox.StatusAsync(Stop)).State);
    }

    [Fact]
    public async Task A_paused_sandbox_stands_still_until_it_is_resumed()
    {
        IPauses level = Pausing();
        ISandbox sandbox = await CreateAsync();
        await using IExecSession session = await sandbox.StartAsync(Shell("i=0; while :; do i=$((i+1)); echo $i; sleep 0.02; done"), Stop);
        await session.ReadUntilAsync("1\n", Stop);
        await level.PauseAsync(sandbox.Id, Stop);
        await level.PauseAsync(sandbox.Id, Stop);
        Assert.Equal(RuntimeState.Paused, (await sandbox.StatusAsync(Stop)).State);

        // What was under way arrives; then nothing does. One that ran would print fifty lines in this time.
        var lines = new StringBuilder();
        Task<ExecOutput?> next = session.ReadAsync(Stop).AsTask();
        while (await Task.WhenAny(next, Task.Delay(1000, Stop)) == next)
        {
            lines.Append(Encoding.UTF8.GetString((await next)!.Value.Data.Span));
            next = session.ReadAsync(Stop).AsTask();
        }
        await level.ResumeAsync(sandbox.Id, Stop);
        await level.ResumeAsync(sandbox.Id, Stop);
        Assert.Equal(RuntimeState.Running, (await sandbox.StatusAsync(Stop)).State);
        string after = Encoding.UTF8.GetString((await next)!.Value.Data.Span);
        int[] numbers = [.. (lines + after).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(int.Parse)];
        Assert.Equal(Enumerable.Range(numbers[0], numbers.Length), numbers);
        Assert.Equal("runs\n", (await sandbox.RunAsync(Stop, "echo", "runs")).Output);
    }

    [Fact]
    public async Task A_pause_survives_a_restart_of_the_server()
    {
        Pausing();
        ISandbox before = await CreateAsync();
        await WriteAsync(before, "/workspace/kept", "kept");
        await ((IPauses)Provider).PauseAsync(before.Id, Stop);
        await RestartAsync();
        ListedRuntime listed = Assert.Single(await Provider.ListAsync(Stop));
        Assert.Equal((before.Id, true), (listed.Id, listed.Running));
        ISandbox after = Assert.IsAssignableFrom<ISandbox>(await Provider.RecoverAsync(before.Id, before.Handle, Stop));
        Assert.Equal(RuntimeState.Paused, (await after.StatusAsync(Stop)).State);
        await ((IPauses)Provider).ResumeAsync(before.Id, Stop);
        Assert.Equal(RuntimeState.Running, (await after.StatusAsync(Stop)).State);
        Assert.Equal("kept", Encoding.UTF8.GetString(await ReadAsync(after, "/workspace/kept")));
    }

    [Fact]
    public async Task A_paused_sandbox_is_destroyed_like_any_other()
    {
        IPauses level = Pausing();
        ISandbox sandbox = await CreateAsync();
        await level.PauseAsync(sandbox.Id, Stop);
        await sandbox.DestroyAsync(Stop);
        Assert.Empty(await Provider.ListAsync(Stop));
        await FailsAsync(ProblemKind.SandboxGone, () => level.PauseAsync(sandbox.Id, Stop));
        await FailsAsync(ProblemKind.SandboxGone, () => level.ResumeAsync(sandbox.Id, Stop));
    }

    /// <summary>A new id of a checkpoint, removed when the test is over.</summary>
    protected string NewCheckpoint()
    {
        string id = "cp-" + Guid.NewGuid().ToString("n")[..16];
        _checkpoints.Add(id);
        return id;
    }

    private ICheckpoints Checkpointing()
    {
        Assert.SkipUnless(Provider is ICheckpoints, $"{Provider.Name} has no checkpoints");
        return (ICheckpoints)Provider;
    }

    private IPauses Pausing()
    {
        Assert.SkipUnless(Provider is IPauses, $"{Provider.Name} cannot pause");
        return (IPauses)Provider;
    }

    private async Task RemoveCheckpointsAsync()
    {
        if (Provider is not ICheckpoints level)
            return;
        foreach (string checkpoint in _checkpoints)
            await level.RemoveCheckpointAsync(checkpoint, CancellationToken.None);
    }
}
