using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentTerminalTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void A_terminal_has_the_size_that_was_asked_for()
    {
        AgentChannel exec = Terminal("stty size; tty; echo $TERM >&2", 132, 43);
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.StartsWith("43 132\r\n/dev/pts/", exec.OutputText, StringComparison.Ordinal);
        Assert.Contains("xterm-256color", exec.OutputText, StringComparison.Ordinal);
        Assert.Empty(exec.ErrorText);
    }

    [Fact]
    public void The_usual_size_is_80_by_24()
    {
        AgentChannel exec = Terminal("stty size");
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("24 80\r\n", exec.OutputText);
    }

    [Fact]
    public void A_new_size_is_signalled()
    {
        AgentChannel exec = Terminal("trap 'stty size; exit 7' WINCH; echo ready; while :; do sleep 0.05; done");
        exec.WaitForOutput("ready");
        exec.Control(ControlVerb.Resize, w =>
        {
            w.UInt16(100);
            w.UInt16(30);
        });
        Assert.Equal(7, exec.Exit.ExitCode);
        Assert.Contains("30 100", exec.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public void Control_C_interrupts_the_foreground()
    {
        AgentChannel exec = Terminal("trap 'echo caught; exit 5' INT; echo ready; while :; do sleep 0.05; done");
        exec.WaitForOutput("ready");
        exec.SendAll("\u0003");
        Assert.Equal(5, exec.Exit.ExitCode);
        Assert.Contains("caught", exec.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public void A_signal_goes_to_the_foreground_group()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["bash", "--norc", "-i"], Flags = ProcessFlags.Terminal });
        exec.SendAll("sleep 1000\n");
        Eventually.True(() => ForegroundCommand(exec.Started.Pid) == "sleep", "a sleep in the foreground");
        exec.Control(ControlVerb.Signal, w => w.Int32(2));
        exec.SendAll("echo al''ive\nexit 9\n");
        Assert.Equal(9, exec.Exit.ExitCode);
        Assert.Contains("alive", exec.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public void The_end_of_input_ends_a_reader()
    {
        AgentChannel exec = Terminal("cat > copy; wc -c < copy");
        exec.SendAll("abc\n");
        exec.End();
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("abc\n", File.ReadAllText(_agent.PathOf("copy")));
    }

    [Fact]
    public void The_end_of_input_in_the_middle_of_a_line_ends_a_reader_too()
    {
        AgentChannel exec = Terminal("cat > copy");
        exec.SendAll("abc");
        exec.End();
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("abc", File.ReadAllText(_agent.PathOf("copy")));
    }

    private AgentChannel Terminal(string script, ushort columns = 0, ushort rows = 0) => _agent.Client.Start(
        new StartProcessRequest { Arguments = ["sh", "-c", script], Flags = ProcessFlags.Terminal, Columns = columns, Rows = rows });

    private static string ForegroundCommand(uint pid)
    {
        string group = File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ')[6];
        return File.Exists($"/proc/{group}/comm") ? File.ReadAllText($"/proc/{group}/comm").Trim() : "";
    }
}
