using StacyVM.Engine.Providers;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    private const string NoTerminals = "this level has no terminals";

    [Fact]
    public async Task A_terminal_has_its_size_and_learns_a_new_one()
    {
        Assert.SkipUnless(HasTerminals, NoTerminals);
        ISandbox sandbox = await CreateAsync();
        await using IExecSession session = await sandbox.StartAsync(
            Shell("test -t 0 && test -t 1 && test -t 2 && stty size; read go; stty size") with { Terminal = new TerminalSize(120, 40), Stdin = true }, Stop);
        await session.ReadUntilAsync("40 120", Stop);
        await session.ResizeAsync(new TerminalSize(132, 50), Stop);
        await session.WriteAsync("\n"u8.ToArray(), Stop);
        Assert.Contains("50 132", (await session.CollectAsync(Stop)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Control_C_interrupts_the_foreground_process()
    {
        Assert.SkipUnless(TypesSignals, "terminals of this level turn no key into a signal");
        ISandbox sandbox = await CreateAsync();
        string mark = Mark();
        await using IExecSession session = await sandbox.StartAsync(
            Shell($"echo ready; exec sleep {mark}") with { Terminal = new TerminalSize(80, 24), Stdin = true }, Stop);
        await session.ReadUntilAsync("ready", Stop);
        await session.WriteAsync(new byte[] { 3 }, Stop);
        Outcome outcome = await session.CollectAsync(Stop);
        Assert.Equal(130, outcome.Code);
        Assert.Empty(await GoneAsync(sandbox, $"sleep\0{mark}"));
    }

    [Fact]
    public async Task A_terminal_echoes_and_joins_both_outputs()
    {
        Assert.SkipUnless(HasTerminals, NoTerminals);
        ISandbox sandbox = await CreateAsync();
        await using IExecSession session = await sandbox.StartAsync(
            Shell("read line; echo \"out:$line\"; echo err >&2") with { Terminal = new TerminalSize(80, 24), Stdin = true }, Stop);
        await session.WriteAsync("hello\n"u8.ToArray(), Stop);
        Outcome outcome = await session.CollectAsync(Stop);
        Assert.Contains("out:hello", outcome.Output, StringComparison.Ordinal);
        Assert.Contains("err", outcome.Output, StringComparison.Ordinal);
        Assert.Empty(outcome.ErrorBytes);
    }
}
