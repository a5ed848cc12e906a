using System.Diagnostics;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Bubblewrap;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Providers.Bubblewrap;

public sealed class BubblewrapLifeTests : IAsyncLifetime
{
    private BubblewrapRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await BubblewrapRig.OpenAsync();

    public ValueTask DisposeAsync() => _rig?.DisposeAsync() ?? default;

    [Fact]
    public async Task A_probe_really_runs_a_sandbox_and_says_what_is_enforced()
    {
        ProviderHealth health = await _rig.Provider.ProbeAsync(CancellationToken.None);
        Assert.True(health.Healthy, health.Error);
        Assert.Equal(["host"], health.Images!);
        // How a sandbox is made to stand still is said where no group freezes it.
        Assert.Equal(["cpu", "disk", "memory", "namespaces", "network", "pids", "seccomp", "user"], health.Enforced!.Keys.Where(name => name != "pause").Order());
        foreach ((string name, string sentence) in health.Enforced)
            TestContext.Current.SendDiagnosticMessage($"{name}: {sentence}");
        Assert.Empty(await _rig.Provider.ListAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_sandbox_runs_commands_and_leaves_nothing_behind()
    {
        ISandbox sandbox = await _rig.CreateAsync();
        Assert.Equal((0, "hello sandbox /workspace"), await BubblewrapRig.RunAsync(sandbox, "echo hello $(whoami) $PWD"));
        Assert.Equal(RuntimeState.Running, (await sandbox.StatusAsync(CancellationToken.None)).State);
        await sandbox.DestroyAsync(CancellationToken.None);
        await sandbox.DestroyAsync(CancellationToken.None);
        Assert.Equal(RuntimeState.Gone, (await sandbox.StatusAsync(CancellationToken.None)).State);
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_rig.Directory, "sandboxes")));
        Assert.Empty(Processes());
    }

    [Fact]
    public async Task An_image_that_is_not_there_is_named_with_those_that_are()
    {
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => _rig.CreateAsync(BubblewrapRig.Spec() with { Image = "alpine:latest" }));
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains("\"host\"", problem.Message, StringComparison.Ordinal);
        ISandbox sandbox = await _rig.CreateAsync(BubblewrapRig.Spec() with { Image = "alpine:latest", ImageIsDefault = true });
        Assert.Equal("host", sandbox.Image);
    }

    [Fact]
    public async Task What_a_create_that_was_cut_off_left_is_replaced()
    {
        ISandbox first = await _rig.CreateAsync();
        await BubblewrapRig.RunAsync(first, "touch old");
        ISandbox second = await _rig.Provider.CreateAsync(first.Id, BubblewrapRig.Spec(), null, CancellationToken.None);
        Assert.Equal((0, ""), await BubblewrapRig.RunAsync(second, "ls"));
        Assert.Single(await _rig.Provider.ListAsync(CancellationToken.None));
    }

    [Fact]
    public async Task A_failed_create_leaves_nothing_and_tells_what_bwrap_said()
    {
        using var gone = new CancellationTokenSource();
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => _rig.Provider.CreateAsync("sb-cancelled", BubblewrapRig.Spec(), null, gone.Token));
        // A directory in place of the filter's file: bwrap cannot read it.
        await _rig.Provider.ProbeAsync(CancellationToken.None);
        string filter = Directory.GetFiles(Path.Combine(_rig.Directory, "bubblewrap"), "seccomp-*").Single();
        File.WriteAllText(filter, "not a filter");
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => _rig.CreateAsync());
        Assert.Equal(ProblemKind.ProviderUnavailable, problem.Kind);
        Assert.Contains("seccomp", problem.Message, StringComparison.Ordinal);
        Assert.Empty(await _rig.Provider.ListAsync(CancellationToken.None));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_rig.Directory, "sandboxes")));
    }

    [Fact]
    public async Task A_new_server_takes_the_sandbox_up_with_its_processes()
    {
        ISandbox before = await _rig.CreateAsync();
        await BubblewrapRig.RunAsync(before, "setsid sleep 1000 >/dev/null 2>&1 & echo kept > file");
        _rig = await BubblewrapRig.OpenAsync(await _rig.AbandonAsync());
        ListedRuntime listed = Assert.Single(await _rig.Provider.ListAsync(CancellationToken.None));
        Assert.True(listed.Running);
        foreach (SandboxHandle handle in new[] { before.Handle, listed.Handle! })
        {
            ISandbox after = (await _rig.Provider.RecoverAsync(before.Id, handle, CancellationToken.None))!;
            Assert.Equal((0, "kept"), await BubblewrapRig.RunAsync(after, "cat file"));
        }
        await _rig.Provider.RemoveAsync(before.Id, CancellationToken.None);
        Assert.Empty(Processes());
        Assert.Null(await _rig.Provider.RecoverAsync(before.Id, before.Handle, CancellationToken.None));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Killed_from_outside_it_is_stopped_and_says_why(bool agent)
    {
        ISandbox sandbox = await _rig.CreateAsync();
        int first = BubblewrapState.Parse(System.Text.Encoding.UTF8.GetBytes(sandbox.Handle.State)).Pid;
        ProcessIdentity victim = ProcessIdentity.Of(agent ? first : Parent(first))!.Value;
        await ProcessExits.KillAsync(victim, TimeSpan.FromSeconds(5));
        RuntimeStatus status = await sandbox.StatusAsync(CancellationToken.None);
        if (agent)
        {
            Assert.Equal(RuntimeState.Stopped, status.State);
            Assert.NotNull(status.Reason);
            Assert.False(Assert.Single(await _rig.Provider.ListAsync(CancellationToken.None)).Running);
            Assert.Null(await _rig.Provider.RecoverAsync(sandbox.Id, sandbox.Handle, CancellationToken.None));
        }
        else
        {
            // bwrap itself only waits for the first process, which lives on.
            Assert.Equal(RuntimeState.Running, status.State);
        }
        await sandbox.DestroyAsync(CancellationToken.None);
        Assert.Empty(Processes());
    }

    [Fact]
    public async Task Removing_what_was_never_there_succeeds() => await _rig.Provider.RemoveAsync("sb-never", CancellationToken.None);

    /// <summary>Processes of this machine that belong to a sandbox of the rig.</summary>
    private IReadOnlyList<string> Processes() => [.. ProcessScan.Arguments(Path.Combine(_rig.Directory, "sandboxes"))];

    private static int Parent(int pid) =>
        int.Parse(File.ReadAllLines($"/proc/{pid}/status").Single(line => line.StartsWith("PPid:", StringComparison.Ordinal))[5..], System.Globalization.CultureInfo.InvariantCulture);
}
