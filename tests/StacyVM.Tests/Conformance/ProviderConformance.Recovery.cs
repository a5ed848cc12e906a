using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    [Fact]
    public async Task A_new_server_takes_up_the_sandbox_with_its_running_processes()
    {
        Assert.SkipUnless(KeepsProcesses, NoKeptProcesses);
        ISandbox before = await CreateAsync();
        SandboxHandle handle = before.Handle;
        string mark = Mark();
        await WriteAsync(before, "/workspace/kept", "kept");
        IExecSession session = await before.StartAsync(Shell($"echo started; sleep {mark}") with { Detached = true }, Stop);
        await session.ReadUntilAsync("started", Stop);

        await RestartAsync();

        ListedRuntime listed = Assert.Single(await Provider.ListAsync(Stop));
        Assert.Equal((before.Id, true), (listed.Id, listed.Running));
        ISandbox after = Assert.IsAssignableFrom<ISandbox>(await Provider.RecoverAsync(before.Id, listed.Handle ?? handle, Stop));
        Assert.Equal(RuntimeState.Running, (await after.StatusAsync(Stop)).State);
        Assert.Equal("kept", System.Text.Encoding.UTF8.GetString(await ReadAsync(after, "/workspace/kept")));
        var processes = Assert.IsAssignableFrom<IKeepsProcesses>(after);
        Assert.True((await processes.ListProcessesAsync(Stop)).Single(one => one.Process == session.Process).Running);
        await using (IExecSession replay = await processes.AttachAsync(session.Process, 0, Stop))
        {
            Assert.Equal("started\n", await replay.ReadUntilAsync("started\n", Stop));
            await processes.SignalProcessAsync(session.Process, 0, Stop);
            Assert.Equal(137, (await replay.CollectAsync(Stop)).Code);
        }
        await after.DestroyAsync(Stop);
        Assert.Empty(await Provider.ListAsync(Stop));
        await session.DisposeAsync();
    }

    [Fact]
    public async Task The_handle_of_the_creation_is_enough_to_recover()
    {
        ISandbox before = await CreateAsync();
        await RestartAsync();
        ISandbox after = Assert.IsAssignableFrom<ISandbox>(await Provider.RecoverAsync(before.Id, before.Handle, Stop));
        Assert.Equal(0, (await after.RunAsync(Stop, "true")).Code);
        Assert.Equal(before.Image, after.Image);
        Assert.Equal(before.Handle, after.Handle);
    }

    [Fact]
    public async Task What_no_longer_exists_is_not_recovered()
    {
        ISandbox sandbox = await CreateAsync();
        await sandbox.DestroyAsync(Stop);
        await RestartAsync();
        Assert.Null(await Provider.RecoverAsync(sandbox.Id, sandbox.Handle, Stop));
    }

    [Fact]
    public async Task Operations_under_way_fail_quickly_when_the_server_lets_go()
    {
        Assert.SkipUnless(HasAgent, "each command of this level is a request of its own, which nothing else holds");
        ISandbox sandbox = await CreateAsync();
        await using IExecSession session = await sandbox.StartAsync(Shell($"sleep {Mark()}"), Stop);
        Task<ExecOutput?> reading = session.ReadAsync(Stop).AsTask();
        await Host.DisposeAsync();
        await FailsAsync(ProblemKind.SandboxGone, () => reading.WaitAsync(TimeSpan.FromSeconds(2)));
        await FailsAsync(ProblemKind.SandboxGone, () => session.Exit.WaitAsync(TimeSpan.FromSeconds(2)));
        await FailsAsync(ProblemKind.SandboxGone, () => sandbox.RunAsync(Stop, "true").WaitAsync(TimeSpan.FromSeconds(2)));
        await RestartAsync();
    }

    [Fact]
    public async Task A_restart_keeps_the_installations_identity()
    {
        string before = Host.InstallationId;
        Assert.NotEmpty(before);
        await RestartAsync();
        Assert.Equal(before, Host.InstallationId);
    }

    /// <summary>What the end of the server's process does: listeners, connections and the launcher are gone, sandboxes are not.</summary>
    private async Task RestartAsync()
    {
        await Host.DisposeAsync();
        Host = await OpenHostAsync();
        Provider = Make(Host);
    }
}
