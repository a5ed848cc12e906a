using System.Diagnostics;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    private const string NoWall = "this level isolates nothing";

    [Fact]
    public async Task Processes_of_the_host_are_invisible()
    {
        Assert.SkipUnless(Isolates, NoWall);
        ISandbox sandbox = await CreateAsync();
        string mark = Mark();
        using Process outside = Process.Start("sleep", mark);
        try
        {
            Outcome outcome = await sandbox.ShellAsync("for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null", Stop);
            Assert.DoesNotContain(mark, outcome.Output, StringComparison.Ordinal);
            Assert.NotEqual(0, (await sandbox.ShellAsync($"kill -9 {outside.Id}", Stop)).Code);
            Assert.False(outside.HasExited);
        }
        finally
        {
            outside.Kill();
        }
    }

    [Fact]
    public async Task Files_of_the_host_and_of_other_sandboxes_are_out_of_reach()
    {
        Assert.SkipUnless(Isolates, NoWall);
        string canary = Path.Combine(DataDirectory, "canary");
        await File.WriteAllTextAsync(canary, "canary", Stop);
        ISandbox neighbour = await CreateAsync();
        await WriteAsync(neighbour, "/workspace/secret", "secret");
        ISandbox sandbox = await CreateAsync();
        Assert.NotEqual(0, (await sandbox.RunAsync(Stop, "cat", canary)).Code);
        await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, canary));
        await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, "/workspace/secret"));
        Assert.Equal(0, (await sandbox.ShellAsync($"ln -s {canary} link; ln -s / root", Stop)).Code);
        await FailsAsync(ProblemKind.NotFound, () => ReadAsync(sandbox, "/workspace/link"));
        await FailsAsync(MissingBehindRootLink, () => ReadAsync(sandbox, $"/workspace/root{canary}"));
        Assert.Equal("canary", await File.ReadAllTextAsync(canary, Stop));
    }

    [Fact]
    public async Task There_is_no_network_but_the_loopback()
    {
        Assert.SkipUnless(Isolates, NoWall);
        ISandbox sandbox = await CreateAsync();
        Outcome outcome = await sandbox.ShellAsync("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '", Stop);
        Assert.DoesNotContain(outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries), name => name.StartsWith("eth", StringComparison.Ordinal) || name.StartsWith("en", StringComparison.Ordinal));
        Assert.Contains("lo", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Commands_are_not_root_and_cannot_become_it()
    {
        Assert.SkipUnless(Isolates, NoWall);
        Assert.SkipWhen(RunsAsRoot, "commands are root here by configuration");
        ISandbox sandbox = await CreateAsync();
        Assert.NotEqual("0\n", (await sandbox.RunAsync(Stop, "id", "-u")).Output);
        Outcome outcome = await sandbox.ShellAsync("grep -E '^(CapEff|CapPrm|CapBnd|NoNewPrivs)' /proc/self/status | tr -s '\\t' ' '", Stop);
        Assert.Contains("CapEff: 0000000000000000", outcome.Output, StringComparison.Ordinal);
        if (TellsNoNewPrivileges)
            Assert.Contains("NoNewPrivs: 1", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public virtual async Task The_agents_memory_and_environment_are_closed_to_commands()
    {
        Assert.SkipUnless(Isolates, NoWall);
        ISandbox sandbox = await CreateAsync();
        Outcome outcome = await sandbox.ShellAsync("for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done 2>/dev/null | grep -c STACYVM_AGENT_TOKEN", Stop);
        Assert.Equal("0", outcome.Output.Trim());
    }

    [Fact]
    public async Task A_fork_bomb_stays_within_its_bound()
    {
        Assert.SkipUnless(LimitsProcesses, "this level bounds no processes");
        ISandbox sandbox = await Provider.CreateAsync(NewId(), Spec with { PidsLimit = 64 }, null, Stop);
        ISandbox neighbour = await CreateAsync();
        string mark = Mark();
        // A shell that cannot fork may end at once: an inner one makes the bomb.
        await using (IExecSession bomb = await sandbox.StartAsync(Shell($"(i=0; while [ $i -lt 300 ]; do sleep {mark} & i=$((i+1)); done) 2>/dev/null; echo made; exec sleep {mark}"), Stop))
        {
            Task<string> output = bomb.ReadUntilAsync("made", Stop);
            await Task.WhenAny(output, bomb.Exit, Task.Delay(TimeSpan.FromSeconds(5), Stop));
            Assert.InRange(await CountAsync(sandbox, $"sleep\0{mark}"), 1, 64);
            Assert.Equal(0, (await neighbour.RunAsync(Stop, "true")).Code);
        }
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
        Assert.Equal(0, (await sandbox.RunAsync(Stop, "true")).Code);
    }

    [Fact]
    public async Task Memory_is_bounded_and_the_sandbox_survives_it()
    {
        Assert.SkipUnless(LimitsMemory, "this level bounds no memory");
        ISandbox sandbox = await Provider.CreateAsync(NewId(), Spec with { MemoryMb = 64 }, null, Stop);
        Outcome outcome = await sandbox.ShellAsync("head -c 400000000 /dev/zero | tail -c 399999999 | wc -c", Stop);
        Assert.DoesNotContain("399999999", outcome.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await sandbox.RunAsync(Stop, "true")).Code);
    }
}
