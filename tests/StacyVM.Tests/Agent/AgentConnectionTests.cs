using System.Diagnostics;
using System.Net.Sockets;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentConnectionTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void The_agent_introduces_itself()
    {
        WelcomeMessage welcome = _agent.Client.Welcome;
        Assert.Equal((AgentProtocol.Version, "the-token", (uint)_agent.Pid), (welcome.Version, welcome.Token, welcome.Pid));
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000 - welcome.StartedAt, 0, 60_000_000);
    }

    [Fact]
    public void A_ping_is_answered()
    {
        _agent.Client.Send(FrameType.Ping, 0, "payload"u8);
        Assert.True(_agent.Client.Pongs.TryTake(out byte[]? pong, AgentProgram.Patience));
        Assert.Equal("payload"u8, pong);
    }

    [Fact]
    public void A_lost_connection_is_dialled_again_at_once()
    {
        for (int i = 0; i < 20; i++)
        {
            _agent.Client.Dispose();
            _agent.Accept();
        }
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
    }

    [Fact]
    public void A_restarted_host_is_found_within_milliseconds()
    {
        _agent.StopListening();
        _agent.Client.Dispose();
        Eventually.True(() => _agent.Holds("anon_inode:inotify"), "a watch on the socket's directory");
        for (int i = 0; i < 5; i++)
        {
            long began = Stopwatch.GetTimestamp();
            _agent.ListenAgain();
            _agent.Accept();
            Assert.InRange(Stopwatch.GetElapsedTime(began).TotalMilliseconds, 0, 1_000);
            _agent.StopListening();
            _agent.Client.Dispose();
            Eventually.True(() => _agent.Holds("anon_inode:inotify"), "a watch on the socket's directory");
        }
        _agent.ListenAgain();
        _agent.Accept();
    }

    [Fact]
    public void A_host_of_another_version_is_refused_with_patience()
    {
        _agent.Client.Dispose();
        for (int i = 0; i < 3; i++)
        {
            using Socket socket = _agent.AcceptRaw();
            var hello = new RecordWriter();
            new HelloMessage(999, "sb", new byte[16]).Write(hello);
            byte[] frame = new byte[FrameHeader.Size + hello.Length];
            new FrameHeader(hello.Length, 0, FrameType.Hello, DataStream.Input).Write(frame);
            hello.Written.CopyTo(frame.AsSpan(FrameHeader.Size));
            socket.Send(frame);
            socket.ReceiveTimeout = 10_000;
            Assert.Equal(0, socket.Receive(new byte[100]));
        }
        _agent.Accept();
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
    }

    [Fact]
    public void Statistics_are_plausible()
    {
        Assert.Equal(0, _agent.Client.Shell("i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done").Exit.ExitCode);
        ClosedMessage closed = _agent.Client.Call(ChannelKind.Statistics);
        var reader = new RecordReader(closed.Body);
        AgentStatistics statistics = AgentStatistics.Read(ref reader);
        Assert.True(statistics.CpuMicroseconds > 10_000);
        Assert.InRange(statistics.MemoryBytes, 1_000_000ul, statistics.MemoryTotalBytes);
        Assert.InRange(statistics.DiskUsedBytes, 1ul, statistics.DiskTotalBytes);
        Assert.True(statistics.Processes > 2);
        Assert.InRange(statistics.UptimeMicroseconds, 1ul, 120_000_000ul);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void No_frame_however_bad_ends_the_agent(int seed)
    {
        var random = new Random(seed);
        for (int round = 0; round < 40; round++)
        {
            try
            {
                for (int i = 0; i < 20; i++)
                    _agent.Client.SendRaw(Garbage(random));
            }
            catch (IOException)
            {
                // The agent hung up on us, as it should.
            }
            _agent.Client.Dispose();
            _agent.Accept();
        }
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
        Assert.True(_agent.IsRunning);
        Assert.InRange(_agent.StatusKilobytes("VmRSS"), 1, 32 * 1024);
    }

    [Fact]
    public void More_than_a_window_ends_the_connection()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["sleep", "100"], Flags = ProcessFlags.Stdin });
        Assert.True(exec.Started.Pid > 0);
        byte[] frame = new byte[AgentProtocol.MaxPayload];
        try
        {
            for (int i = 0; i < 8; i++)
                _agent.Client.Send(FrameType.Data, exec.Number, frame);
        }
        catch (IOException)
        {
        }
        Assert.True(_agent.Client.Ended.Wait(AgentProgram.Patience));
        _agent.Accept();
        Assert.True(Assert.Single(_agent.Client.Processes()).Running);
    }

    [Fact]
    public void Channels_are_bounded()
    {
        AgentChannel[] open = [.. Enumerable.Range(0, 1024).Select(_ => _agent.Client.Open(ChannelKind.WriteFile, new WriteFileRequest("/dev/null", 0, false).Write))];
        int refused = 0;
        ClosedMessage last = _agent.Client.Call(ChannelKind.Statistics);
        Assert.Equal(AgentStatus.ResourceLimit, last.Status);
        foreach (AgentChannel channel in open)
        {
            channel.End();
            refused += channel.Closed.Status == AgentStatus.ResourceLimit ? 1 : 0;
        }
        Assert.InRange(refused, 1, 1024);
        Assert.Equal(AgentStatus.Ok, _agent.Client.Call(ChannelKind.Statistics).Status);
    }

    [Fact]
    public void It_costs_little_when_it_is_idle()
    {
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
        long privateKilobytes = File.ReadLines($"/proc/{_agent.Pid}/smaps_rollup")
            .Where(l => l.StartsWith("Private_Dirty", StringComparison.Ordinal))
            .Sum(l => long.Parse(l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.InRange(privateKilobytes, 1, 3 * 1024);
        Assert.InRange(new FileInfo(AgentProgram.Binary).Length, 1, 4 * 1024 * 1024);
    }

    [Fact]
    public void The_version_is_printed()
    {
        using Process process = Process.Start(new ProcessStartInfo(AgentProgram.Binary, "--version") { RedirectStandardOutput = true })!;
        Assert.Matches(@"^stacyvm-agent \d+\.\d+\.\d+\n$", process.StandardOutput.ReadToEnd());
        process.WaitForExit();
        Assert.Equal(0, process.ExitCode);
    }

    private static byte[] Garbage(Random random)
    {
        byte[] bytes = new byte[random.Next(1, 200)];
        random.NextBytes(bytes);
        // Half of them are well-formed on the outside: a true header, any kind, and nonsense within.
        if (random.Next(2) == 0)
            return bytes;
        byte[] frame = new byte[FrameHeader.Size + bytes.Length];
        var type = (FrameType)random.Next(1, 13);
        new FrameHeader(bytes.Length, (uint)random.Next(0, 4), type, DataStream.Input).Write(frame);
        bytes.CopyTo(frame, FrameHeader.Size);
        // Anything but what would really run: a Shutdown or a process of random bytes proves nothing here.
        if (type == FrameType.Open)
            frame[FrameHeader.Size] = (byte)random.Next(2, 49);
        return frame;
    }
}
