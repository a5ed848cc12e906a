using System.Diagnostics;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

/// <summary>The agent as the first process of a PID namespace, as it is in a real sandbox.</summary>
public sealed class AgentInitTests : IDisposable
{
    private static readonly string[] _bubblewrap =
    [
        "bwrap", "--unshare-pid", "--as-pid-1", "--die-with-parent", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc",
        "--tmpfs", "/small", "--",
    ];

    private readonly AgentProgram _agent = AgentProgram.Start(wrapper: _bubblewrap);

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void It_is_process_1() => Assert.Equal(1u, _agent.Client.Welcome.Pid);

    [Fact]
    public void Ten_thousand_orphans_leave_no_zombie()
    {
        AgentChannel exec = _agent.Client.Shell("i=0; while [ $i -lt 10000 ]; do (true &) ; i=$((i+1)); done; echo done");
        Assert.Equal(0, exec.Exit.ExitCode);
        Eventually.True(() => Zombies() == 0, "no zombie");
    }

    [Fact]
    public void Orphans_of_a_killed_supervisor_are_killed_and_reaped()
    {
        AgentChannel exec = _agent.Client.Shell("i=0; while [ $i -lt 50 ]; do setsid sleep 1000 & i=$((i+1)); done; kill -9 $PPID; sleep 1000");
        Assert.Equal(137, exec.Exit.ExitCode);
        Eventually.True(() => Lines("ps -e -o comm= | grep -c sleep || true") == 0, "no sleep");
        Eventually.True(() => Zombies() == 0, "no zombie");
    }

    [Fact]
    public void The_agent_cannot_be_killed_or_read_from_inside()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest
        {
            Arguments = ["sh", "-c", "kill -9 1; kill -STOP 1; cat /proc/1/environ; ls /proc/1/fd; cat /proc/1/mem; true"],
            UserId = 1234,
            WorkingDirectory = "/",
        });
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Empty(exec.OutputText);
        Assert.Equal(0, _agent.Client.Shell("kill -9 1; true").Exit.ExitCode);
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
    }

    [Fact]
    public void Shutdown_ends_the_namespace()
    {
        Assert.True(_agent.Client.Shell("setsid sleep 1000 & sleep 1000").Started.Pid > 0);
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Shutdown).Status);
        _agent.WaitForExit();
    }

    [Fact]
    public void A_full_file_system_says_so_and_keeps_no_draft()
    {
        using AgentProgram agent = AgentProgram.Start(
            wrapper: ["bwrap", "--unshare-pid", "--as-pid-1", "--bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--size", "1048576", "--tmpfs", "/mnt", "--"]);
        Assert.Equal(AgentStatus.Ok, agent.Client.Write("/mnt/kept", "small").Status);
        Assert.Equal(AgentStatus.NoSpace, agent.Client.Write("/mnt/kept", new byte[4 << 20]).Status);
        AgentChannel shell = agent.Client.Shell("ls -A /mnt; cat /mnt/kept");
        Assert.Equal(0, shell.Exit.ExitCode);
        Assert.Equal("kept\nsmall", shell.OutputText);
    }

    [Fact]
    public void A_read_only_file_system_says_so()
    {
        using AgentProgram agent = AgentProgram.Start(
            wrapper: ["bwrap", "--unshare-pid", "--as-pid-1", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--"]);
        Assert.Equal(AgentStatus.ReadOnly, agent.Client.Write("/etc/new", "x").Status);
        Assert.Equal(AgentStatus.ReadOnly, agent.Client.Call(ChannelKind.Delete, new DeleteRequest("/etc/passwd", false).Write).Status);
    }

    private int Zombies() => Lines("grep -l 'State:.Z' /proc/[0-9]*/status 2>/dev/null | wc -l");

    private int Lines(string script)
    {
        AgentChannel exec = _agent.Client.Shell(script);
        Assert.Equal(0, exec.Exit.ExitCode);
        return int.Parse(exec.OutputText.Trim(), System.Globalization.CultureInfo.InvariantCulture);
    }
}

/// <summary>The agent as root whose commands and files are those of another user.</summary>
public sealed class AgentUserTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start(new Dictionary<string, string> { [AgentProtocol.UserVariable] = "1234:4321" });

    public AgentUserTests() => Process.Start("chown", ["-R", "1234:4321", _agent.Root]).WaitForExit();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void Commands_and_files_are_the_users()
    {
        File.SetUnixFileMode(_agent.Root, (UnixFileMode)0x1ED);
        AgentChannel exec = _agent.Client.Shell("id -u; id -g");
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("1234\n4321\n", exec.OutputText);
        Assert.Equal(AgentStatus.Ok, _agent.Client.Write("dir/f", "x").Status);
        AgentChannel stat = _agent.Client.Shell("stat -c %u:%g dir dir/f");
        Assert.Equal(0, stat.Exit.ExitCode);
        Assert.Equal("1234:4321\n1234:4321\n", stat.OutputText);
    }

    [Fact]
    public void What_the_user_may_not_do_the_host_may_not_either()
    {
        Assert.Equal(AgentStatus.PermissionDenied, _agent.Client.Write("/etc/stacyvm-test", "x").Status);
        Assert.Equal(AgentStatus.PermissionDenied, _agent.Client.Read("/etc/shadow").Closed.Status);
        Assert.Equal(AgentStatus.PermissionDenied, _agent.Client.Call(ChannelKind.Delete, new DeleteRequest("/etc/passwd", false).Write).Status);
        Assert.Equal(AgentStatus.PermissionDenied, _agent.Client.Call(ChannelKind.Chmod, new ChmodRequest("/etc/passwd", 0x1ff).Write).Status);
        Assert.Equal(AgentStatus.PermissionDenied, _agent.Client.Call(ChannelKind.Move, new MoveRequest("/etc/passwd", "p").Write).Status);
    }
}
