using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    private const string NoKeptProcesses = "processes of this level end with their session";

    /// <summary>Ways in which a command tries to outlive its end. <c>N</c> is the mark.</summary>
    public static TheoryData<string> Escapes =>
    [
        "sleep N",
        "sleep N & sleep N & wait",
        "setsid sleep N & wait",
        "(setsid sh -c 'setsid sleep N & sleep N' & ) ; sleep N",
        "trap '' TERM INT HUP; sleep N; sleep N",
        "nohup sleep N >/dev/null 2>&1 & nohup sleep N",
        "setsid sh -c 'trap \"\" TERM; while :; do sleep N; done' >/dev/null 2>&1 < /dev/null & sleep N",
    ];

    [Theory]
    [MemberData(nameof(Escapes))]
    public async Task A_timeout_ends_the_whole_tree(string script)
    {
        ISandbox sandbox = await CreateAsync();
        string mark = Mark();
        Outcome outcome = await sandbox.RunAsync(
            Shell(script.Replace("N", mark, StringComparison.Ordinal)) with { Timeout = TimeSpan.FromMilliseconds(300) }, Stop);
        Assert.True(outcome.Exit.TimedOut);
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
        Assert.Equal(0, (await sandbox.RunAsync(Stop, "true")).Code);
    }

    [Theory]
    [MemberData(nameof(Escapes))]
    public async Task Letting_a_session_go_ends_the_whole_tree(string script)
    {
        ISandbox sandbox = await CreateAsync();
        string mark = Mark();
        IExecSession session = await sandbox.StartAsync(Shell("echo ready; " + script.Replace("N", mark, StringComparison.Ordinal)), Stop);
        await session.ReadUntilAsync("ready", Stop);
        await session.DisposeAsync();
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
        Assert.True((await session.Exit.WaitAsync(Stop)).Killed);
    }

    [Fact]
    public async Task Kill_ends_the_tree_and_says_so()
    {
        ISandbox sandbox = await CreateAsync();
        string mark = Mark();
        await using IExecSession session = await sandbox.StartAsync(Shell($"trap '' TERM; setsid sleep {mark} & echo ready; sleep {mark}"), Stop);
        await session.ReadUntilAsync("ready", Stop);
        await session.KillAsync(Stop);
        Outcome outcome = await session.CollectAsync(Stop);
        Assert.True(outcome.Exit.Killed);
        Assert.Equal(137, outcome.Code);
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
    }

    [Fact]
    public async Task A_cancelled_start_leaves_no_process()
    {
        ISandbox sandbox = await CreateAsync();
        string mark = Mark();
        for (int i = 0; i < 10; i++)
        {
            using var cancellation = new CancellationTokenSource();
            Task<IExecSession> starting = sandbox.StartAsync(new ExecSpec { Arguments = ["sleep", mark] }, cancellation.Token);
            await cancellation.CancelAsync();
            try
            {
                await (await starting).DisposeAsync();
            }
            catch (OperationCanceledException)
            {
                // Given up before it had begun, or right after.
            }
        }
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
    }

    [Fact]
    public async Task A_detached_process_outlives_its_session_and_is_replayed()
    {
        Assert.SkipUnless(KeepsProcesses, NoKeptProcesses);
        ISandbox sandbox = await CreateAsync();
        var processes = Assert.IsAssignableFrom<IKeepsProcesses>(sandbox);
        string mark = Mark();
        uint process;
        await using (IExecSession session = await sandbox.StartAsync(Shell($"echo one; echo two; sleep {mark}; exit 3") with { Detached = true }, Stop))
        {
            process = session.Process;
            await session.ReadUntilAsync("two", Stop);
        }
        ProcessSnapshot listed = Assert.Single(await processes.ListProcessesAsync(Stop), one => one.Process == process);
        Assert.True(listed.Running);

        await using (IExecSession replay = await processes.AttachAsync(process, 0, Stop))
        {
            Assert.Equal(0ul, replay.Offset);
            Assert.StartsWith("one\ntwo\n", await replay.ReadUntilAsync("two\n", Stop), StringComparison.Ordinal);
        }
        await using (IExecSession later = await processes.AttachAsync(process, 4, Stop))
        {
            Assert.Equal(4ul, later.Offset);
            Assert.StartsWith("two\n", await later.ReadUntilAsync("two\n", Stop), StringComparison.Ordinal);
        }
        Assert.True((await processes.ListProcessesAsync(Stop)).Single(one => one.Process == process).Running);

        await using (IExecSession last = await processes.AttachAsync(process, 0, Stop))
        {
            await processes.SignalProcessAsync(process, 0, Stop);
            Assert.Equal(137, (await last.CollectAsync(Stop)).Code);
        }
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
    }

    [Fact]
    public async Task An_ended_process_is_retained_with_its_output_and_exit()
    {
        Assert.SkipUnless(KeepsProcesses, NoKeptProcesses);
        ISandbox sandbox = await CreateAsync();
        var processes = Assert.IsAssignableFrom<IKeepsProcesses>(sandbox);
        await using IExecSession session = await sandbox.StartAsync(Shell("echo said; exit 5") with { Detached = true }, Stop);
        await session.CollectAsync(Stop);
        await using IExecSession replay = await processes.AttachAsync(session.Process, 0, Stop);
        Outcome outcome = await replay.CollectAsync(Stop);
        Assert.Equal("said\n", outcome.Output);
        Assert.Equal(5, outcome.Code);
        await FailsAsync(ProblemKind.NotFound, () => processes.AttachAsync(4_000_000, 0, Stop));
        await FailsAsync(ProblemKind.NotFound, () => processes.SignalProcessAsync(4_000_000, 9, Stop));
    }
}
