using System.Globalization;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentTreeTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();
    private readonly string _mark = "7" + Random.Shared.Next(100_000, 999_999).ToString(CultureInfo.InvariantCulture);

    public void Dispose() => _agent.Dispose();

    public static TheoryData<string> Escapes => new(
        "sleep MARK",
        "setsid sleep MARK & wait",
        "setsid setsid sleep MARK & sleep MARK",
        "(setsid sleep MARK &) ; (sleep MARK &) ; sleep MARK",
        "trap '' TERM HUP INT; while :; do sleep MARK; done",
        "nohup sleep MARK >/dev/null 2>&1 & nohup setsid sh -c 'trap \"\" TERM; sleep MARK & sleep MARK' >/dev/null 2>&1 & sleep MARK",
        "sh -c '(setsid sh -c \"(setsid sleep MARK &)\" &)' ; sleep MARK",
        "while :; do (setsid sleep MARK &) ; sleep 0.01; done");

    [Theory]
    [MemberData(nameof(Escapes))]
    public void A_timeout_ends_the_whole_tree(string script)
    {
        AgentChannel exec = _agent.Client.Shell(script.Replace("MARK", _mark, StringComparison.Ordinal), timeout: 300);
        ProcessExit exit = exec.Exit;
        Assert.Equal(ExitFlags.TimedOut, exit.Flags);
        Assert.Equal(137, exit.ExitCode);
        Eventually.True(() => Sleepers() == 0, "an empty tree");
    }

    [Theory]
    [MemberData(nameof(Escapes))]
    public void A_cancel_ends_the_whole_tree(string script)
    {
        AgentChannel exec = _agent.Client.Shell(script.Replace("MARK", _mark, StringComparison.Ordinal));
        Eventually.True(() => Sleepers() > 0, "a running sleep");
        exec.Cancel();
        Assert.Equal(ExitFlags.Killed, exec.Exit.Flags);
        Eventually.True(() => Sleepers() == 0, "an empty tree");
    }

    [Fact]
    public void A_timeout_is_kept_without_a_host()
    {
        _agent.Client.Shell("setsid sleep " + _mark + " & sleep " + _mark, timeout: 1000);
        Eventually.True(() => Sleepers() == 2, "two running sleeps");
        _agent.Client.Dispose();
        Eventually.True(() => Sleepers() == 0, "an empty tree");
        _agent.Accept();
        ProcessEntry entry = Assert.Single(_agent.Client.Processes());
        Assert.False(entry.Running);
        Assert.Equal(ExitFlags.TimedOut, entry.Exit.Flags);
    }

    [Fact]
    public void What_runs_in_the_background_survives_a_normal_exit()
    {
        AgentChannel exec = _agent.Client.Shell("nohup sleep " + _mark + " 2>/dev/null & echo started; exit 4");
        Assert.Equal(4, exec.Exit.ExitCode);
        Assert.Equal("started\n", exec.OutputText);
        Assert.True(exec.Exit.Microseconds < 5_000_000);
        exec.Cancel();
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
        Assert.Equal(1, Sleepers());
    }

    [Fact]
    public void A_background_server_may_go_on_writing_to_the_output_it_inherited()
    {
        AgentChannel exec = _agent.Client.Shell("(i=0; while [ $i -lt 400 ]; do echo line $i; sleep 0.002; i=$((i+1)); done; echo finished > finished) & exit 0");
        Assert.Equal(0, exec.Exit.ExitCode);
        Eventually.True(() => File.Exists(_agent.PathOf("finished")), "the end of the background loop");
    }

    [Fact]
    public void The_timeout_of_an_exec_that_is_over_concerns_nobody()
    {
        Assert.Equal(0, _agent.Client.Shell("sleep " + _mark + " >/dev/null 2>&1 & exit 0", timeout: 400).Exit.ExitCode);
        Assert.Equal(0, _agent.Client.Shell("sleep 0.6").Exit.ExitCode);
        Assert.Equal(1, Sleepers());
    }

    [Fact]
    public void Signal_zero_by_number_kills_the_tree()
    {
        AgentChannel exec = _agent.Client.Shell("trap '' TERM; setsid sleep " + _mark + " & sleep " + _mark);
        Eventually.True(() => Sleepers() == 2, "two running sleeps");
        Assert.Equal(AgentStatus.Ok, _agent.Client.Signal(exec.Started.Process, 0).Status);
        Assert.Equal(ExitFlags.Killed, exec.Exit.Flags);
        Eventually.True(() => Sleepers() == 0, "an empty tree");
        Assert.Equal(AgentStatus.NotFound, _agent.Client.Signal(exec.Started.Process, 0).Status);
    }

    [Fact]
    public void A_signal_reaches_the_processs_own_group()
    {
        AgentChannel exec = _agent.Client.Shell("trap 'exit 33' TERM; echo ready; while :; do sleep 0.02; done");
        exec.WaitForOutput("ready");
        exec.Control(ControlVerb.Signal, w => w.Int32(15));
        Assert.Equal(33, exec.Exit.ExitCode);
    }

    [Fact]
    public void Who_kills_its_supervisor_is_killed_itself()
    {
        AgentChannel exec = _agent.Client.Shell("setsid sleep " + _mark + " & kill -9 $PPID; sleep " + _mark);
        ProcessExit exit = exec.Exit;
        Assert.Equal(137, exit.ExitCode);
        Eventually.True(() => Sleepers() == 0, "an empty tree");
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
        Assert.True(_agent.IsRunning);
    }

    [Fact]
    public void Who_stops_its_supervisor_is_killed_all_the_same()
    {
        AgentChannel exec = _agent.Client.Shell("kill -STOP $PPID; setsid sleep " + _mark + " & sleep " + _mark, timeout: 500);
        Assert.Equal(ExitFlags.TimedOut, exec.Exit.Flags);
        Eventually.True(() => Sleepers() == 0, "an empty tree");
    }

    [Fact]
    public void Shutdown_ends_everything()
    {
        Assert.Equal(0, _agent.Client.Shell("setsid sleep " + _mark + " & exit 0").Exit.ExitCode);
        _agent.Client.Shell("setsid sleep " + _mark + " & sleep " + _mark);
        Eventually.True(() => Sleepers() == 3, "three running sleeps");
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Shutdown).Status);
        _agent.WaitForExit();
        Eventually.True(() => Sleepers() == 0, "an empty tree");
    }

    [Fact]
    public void No_zombie_and_no_descriptor_is_left_behind()
    {
        int before = Descriptors();
        for (int i = 0; i < 100; i++)
            Assert.Equal(0, _agent.Client.Shell("(true &) ; true").Exit.ExitCode);
        Eventually.True(() => Descriptors() <= before, "as many descriptors as before");
        Eventually.True(() => Children(_agent.Pid).Count == 0, "no child of the agent");
    }

    private int Descriptors() => Directory.GetFiles($"/proc/{_agent.Pid}/fd").Length;

    private int Sleepers() => Commands().Count(c => c.StartsWith("sleep\0" + _mark, StringComparison.Ordinal));

    private static IEnumerable<string> Commands()
    {
        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(Path.GetFileName(directory)[0]))
                continue;
            string command;
            try
            {
                command = File.ReadAllText(Path.Combine(directory, "cmdline"));
            }
            catch (IOException)
            {
                continue;
            }
            yield return command;
        }
    }

    private static List<int> Children(int parent)
    {
        var children = new List<int>();
        foreach (string directory in Directory.GetDirectories("/proc"))
        {
            if (!int.TryParse(Path.GetFileName(directory), CultureInfo.InvariantCulture, out int pid))
                continue;
            try
            {
                if (int.Parse(File.ReadAllText(Path.Combine(directory, "stat")).Split(')')[^1].Split(' ')[2], CultureInfo.InvariantCulture) == parent)
                    children.Add(pid);
            }
            catch (IOException)
            {
            }
        }
        return children;
    }
}
