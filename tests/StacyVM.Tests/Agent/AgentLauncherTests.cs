using System.Diagnostics;
using System.Net.Sockets;
using System.Text;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

/// <summary>The agent on its standard streams: the server's launcher on the host.</summary>
public sealed class AgentLauncherTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("launcher-").FullName;
    private readonly Process _process;
    private readonly AgentClient _client;

    public AgentLauncherTests()
    {
        var start = new ProcessStartInfo(AgentProgram.Binary) { RedirectStandardInput = true, RedirectStandardOutput = true };
        start.Environment[AgentProtocol.DialVariable] = "stdio:";
        start.Environment[AgentProtocol.TokenVariable] = "t";
        start.Environment[AgentProtocol.WorkdirVariable] = _directory;
        _process = Process.Start(start)!;
        _client = new AgentClient(new DuplexStream(_process.StandardOutput.BaseStream, _process.StandardInput.BaseStream));
        _client.Greet();
    }

    public void Dispose()
    {
        _client.Dispose();
        if (!_process.WaitForExit(TimeSpan.FromSeconds(5)))
            _process.Kill();
        _process.Dispose();
        Directory.Delete(_directory, true);
    }

    [Fact]
    public void An_unsupervised_process_gets_its_files_limits_and_exit()
    {
        string log = Path.Combine(_directory, "log"), input = Path.Combine(_directory, "input"), extra = Path.Combine(_directory, "extra");
        File.WriteAllText(input, "from a file");
        File.WriteAllText(extra, "seventh");
        AgentChannel process = _client.Start(new StartProcessRequest
        {
            Arguments = ["sh", "-c", "cat; cat <&7; ulimit -n; grep NoNewPrivs /proc/self/status; exec 1>&2; i=0; while [ $i -lt 256 ]; do [ -L /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; exit 5"],
            Flags = ProcessFlags.Unsupervised,
            Files = [new(0, input, false), new(1, log, true), new(2, log + "2", true), new(7, extra, false)],
            Limits = [new(7, 99)],
        });
        Assert.Equal(5, process.Exit.ExitCode);
        Assert.Equal("from a fileseventh99\nNoNewPrivs:\t0\n", File.ReadAllText(log));
        Assert.Equal("0\n1\n2\n7\n", File.ReadAllText(log + "2"));
        Assert.Equal(0x180, (int)File.GetUnixFileMode(log));
    }

    [Fact]
    public void What_cannot_start_says_why()
    {
        Assert.Equal(127, Unsupervised(["no-such-program"]).Exit.ExitCode);
        Assert.Equal(AgentStatus.NotFound, Unsupervised(["true"], r => r with { Cgroups = ["/no/such/cgroup.procs"] }).Closed.Status);
        Assert.Equal(AgentStatus.NotFound, Unsupervised(["true"], r => r with { Files = [new(5, "/no/such/file", false)] }).Closed.Status);
        Assert.Equal(AgentStatus.InvalidArgument, Unsupervised(["true"], r => r with { WorkingDirectory = "/no/such" }).Closed.Status);
    }

    [Fact]
    public void A_cgroup_is_joined_before_the_user_changes()
    {
        string fake = Path.Combine(_directory, "cgroup.procs");
        File.WriteAllText(fake, "");
        AgentChannel process = Unsupervised(["id", "-u"], r => r with { Cgroups = [fake], UserId = 1234, WorkingDirectory = "/" });
        Assert.Equal(0, process.Exit.ExitCode);
        Assert.Equal("1234\n", process.OutputText);
        Assert.Equal("0", File.ReadAllText(fake));
    }

    [Fact]
    public void It_can_be_killed_and_it_can_outlive_the_launcher()
    {
        AgentChannel killed = Unsupervised(["sleep", "1000"]);
        Assert.Equal(AgentStatus.Ok, _client.Signal(killed.Started.Process, 0).Status);
        Assert.Equal(137, killed.Exit.ExitCode);
        Assert.Equal(ExitFlags.Killed, killed.Exit.Flags);
        AgentChannel survivor = Unsupervised(["sleep", "1000"]);
        int pid = (int)survivor.Started.Pid;
        _client.Dispose();
        Assert.True(_process.WaitForExit(AgentProgram.Patience));
        using Process alive = Process.GetProcessById(pid);
        Assert.False(alive.HasExited);
        alive.Kill();
    }

    [Fact]
    public void The_launchers_zombies_are_reaped()
    {
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(0, Unsupervised(["true"]).Exit.ExitCode);
            Assert.Equal(0, _client.Shell("true").Exit.ExitCode);
        }
        Eventually.True(() => Process.GetProcesses().All(p => Parent(p.Id) != _process.Id), "no child of the launcher");
    }

    [Fact]
    public void A_bridge_joins_standard_streams_and_an_agent()
    {
        string path = Path.Combine(_directory, "bridge.sock");
        var agentStart = new ProcessStartInfo(AgentProgram.Binary);
        agentStart.Environment[AgentProtocol.DialVariable] = "unix:" + path;
        agentStart.Environment[AgentProtocol.TokenVariable] = "bridged";
        using Process agent = Process.Start(agentStart)!;
        var bridgeStart = new ProcessStartInfo(AgentProgram.Binary, ["connect", "unix:" + path]) { RedirectStandardInput = true, RedirectStandardOutput = true };
        for (int round = 0; round < 2; round++)
        {
            using Process bridge = Process.Start(bridgeStart)!;
            using var client = new AgentClient(new DuplexStream(bridge.StandardOutput.BaseStream, bridge.StandardInput.BaseStream));
            client.Greet();
            Assert.Equal("bridged", client.Welcome.Token);
            AgentChannel cat = client.Start(new StartProcessRequest { Arguments = ["cat"], Flags = ProcessFlags.Stdin });
            byte[] content = Encoding.UTF8.GetBytes(new string('x', 3_000_000));
            cat.SendAll(content);
            cat.End();
            Assert.Equal(0, cat.Exit.ExitCode);
            Assert.Equal(content, cat.Output);
            client.Dispose();
            Assert.True(bridge.WaitForExit(AgentProgram.Patience));
        }
        agent.Kill();
        agent.WaitForExit();
    }

    private AgentChannel Unsupervised(string[] arguments, Func<StartProcessRequest, StartProcessRequest>? change = null)
    {
        var request = new StartProcessRequest { Arguments = arguments, Flags = ProcessFlags.Unsupervised };
        return _client.Start(change?.Invoke(request) ?? request);
    }

    private static int Parent(int pid)
    {
        try
        {
            return int.Parse(File.ReadAllText($"/proc/{pid}/stat").Split(')')[^1].Split(' ')[2], System.Globalization.CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    /// <summary>Two pipes as one stream.</summary>
    private sealed class DuplexStream(Stream input, Stream output) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => input.Read(buffer, offset, count);

        public override int Read(Span<byte> buffer) => input.Read(buffer);

        public override void Write(byte[] buffer, int offset, int count) => Write(buffer.AsSpan(offset, count));

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            output.Write(buffer);
            output.Flush();
        }

        public override void Flush() => output.Flush();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        protected override void Dispose(bool disposing) => output.Dispose();
    }
}
