using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentAttachTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void Output_is_replayed_from_an_offset()
    {
        AgentChannel first = Detached("printf 0123456789; cat");
        first.WaitForOutput("0123456789");
        AgentChannel second = _agent.Client.Attach(first.Started.Process, 4);
        second.WaitForOutput("456789");
        var reader = new RecordReader(second.Reply);
        Assert.Equal(new ProcessAttached(first.Started.Pid, 4), ProcessAttached.Read(ref reader));
        second.SendAll("abc");
        first.WaitForOutput("abc");
        second.WaitForOutput("abc");
        second.End();
        Assert.Equal(0, first.Exit.ExitCode);
        Assert.Equal(0, second.Exit.ExitCode);
        Assert.Equal("456789abc", second.OutputText);
    }

    [Fact]
    public void Both_streams_are_replayed_in_the_order_they_came()
    {
        AgentChannel first = Detached("for i in 1 2 3; do echo out$i; sleep 0.05; echo err$i >&2; sleep 0.05; done");
        Assert.Equal(0, first.Exit.ExitCode);
        AgentChannel second = _agent.Client.Attach(first.Started.Process, 0);
        Assert.Equal(0, second.Exit.ExitCode);
        Assert.Equal("out1\nout2\nout3\n", second.OutputText);
        Assert.Equal("err1\nerr2\nerr3\n", second.ErrorText);
    }

    [Fact]
    public void What_is_older_than_the_tail_is_skipped_and_said_so()
    {
        AgentChannel first = _agent.Client.Start(new StartProcessRequest
        {
            Arguments = ["sh", "-c", "seq 1 200000"],
            Flags = ProcessFlags.Detached,
            TailBytes = 100_000,
        });
        Assert.Equal(0, first.Exit.ExitCode);
        byte[] whole = first.Output;
        AgentChannel second = _agent.Client.Attach(first.Started.Process, 0);
        Assert.Equal(0, second.Exit.ExitCode);
        var reader = new RecordReader(second.Reply);
        ulong offset = ProcessAttached.Read(ref reader).Offset;
        Assert.Equal((ulong)(whole.Length - second.Output.Length), offset);
        Assert.InRange(second.Output.Length, 64 * 1024, 100_000);
        Assert.Equal(whole[(int)offset..], second.Output);
    }

    [Fact]
    public void A_process_runs_on_without_its_host_and_is_found_again()
    {
        AgentChannel exec = _agent.Client.Shell("echo before; sleep 0.3; echo after; exit 6");
        exec.WaitForOutput("before");
        uint process = exec.Started.Process;
        long started = _agent.Client.Welcome.StartedAt;
        _agent.Client.Dispose();
        AgentClient client = _agent.Accept();
        Assert.Equal(started, client.Welcome.StartedAt);
        AgentChannel again = client.Attach(process, 7);
        Assert.Equal(6, again.Exit.ExitCode);
        Assert.Equal("after\n", again.OutputText);
        Assert.Equal(13ul, again.Exit.OutputBytes);
    }

    [Fact]
    public void An_end_that_nobody_heard_is_retained()
    {
        AgentChannel exec = _agent.Client.Shell("echo ready; read x; echo late; exit 8", ProcessFlags.Stdin);
        exec.WaitForOutput("ready");
        uint process = exec.Started.Process;
        exec.SendAll("go\n");
        _agent.Client.Dispose();
        AgentClient client = _agent.Accept();
        AgentChannel again = client.Attach(process, 0);
        Assert.Equal(8, again.Exit.ExitCode);
        Assert.Equal("ready\nlate\n", again.OutputText);
    }

    [Fact]
    public void A_detached_process_outlives_cancel_and_an_undetached_one_outlives_detach()
    {
        AgentChannel detached = Detached("echo ready; cat; exit 2");
        detached.WaitForOutput("ready");
        detached.Cancel();
        Assert.Equal(AgentStatus.Detached, detached.Closed.Status);
        AgentChannel plain = _agent.Client.Shell("echo ready; cat; exit 3", ProcessFlags.Stdin);
        plain.WaitForOutput("ready");
        plain.Control(ControlVerb.Detach);
        Assert.Equal(AgentStatus.Detached, plain.Closed.Status);
        Assert.Equal(2, _agent.Client.Processes().Count(p => p.Running));
        foreach ((AgentChannel lost, int code) in new[] { (detached, 2), (plain, 3) })
        {
            AgentChannel again = _agent.Client.Attach(lost.Started.Process, 0);
            again.End();
            Assert.Equal(code, again.Exit.ExitCode);
        }
    }

    [Fact]
    public void The_table_tells_what_runs_and_what_has_ended()
    {
        AgentChannel done = Detached("echo xyz; exit 5");
        Assert.Equal(5, done.Exit.ExitCode);
        AgentChannel running = _agent.Client.Shell("cat", ProcessFlags.Stdin);
        Assert.True(running.Started.Pid > 0);
        Assert.Equal(0, _agent.Client.Shell("true").Exit.ExitCode);
        List<ProcessEntry> entries = _agent.Client.Processes();
        Assert.Equal(2, entries.Count);
        ProcessEntry ended = entries.Single(e => e.Process == done.Started.Process);
        Assert.Equal((false, 5, 4ul, "sh -c echo xyz; exit 5"), (ended.Running, ended.Exit.ExitCode, ended.OutputBytes, ended.Command));
        Assert.True(entries.Single(e => e.Process == running.Started.Process).Running);
    }

    [Fact]
    public void Only_the_last_64_ends_are_retained()
    {
        for (int i = 0; i < 80; i++)
            Assert.Equal(0, Detached("echo " + i).Exit.ExitCode);
        List<ProcessEntry> entries = _agent.Client.Processes();
        Assert.Equal(64, entries.Count);
        Assert.Equal("sh -c echo 79", entries.MaxBy(e => e.Process)!.Command);
        Assert.Equal(AgentStatus.NotFound, _agent.Client.Attach(1, 0).Closed.Status);
    }

    [Fact]
    public void Retained_output_stays_within_8_MiB()
    {
        for (int i = 0; i < 12; i++)
        {
            AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["head", "-c", "2000000", "/dev/zero"], Flags = ProcessFlags.Detached, TailBytes = 2_000_000 });
            Assert.Equal(0, exec.Exit.ExitCode);
        }
        Assert.InRange(_agent.Client.Processes().Count, 3, 4);
        Assert.InRange(_agent.StatusKilobytes("VmRSS"), 1, 20_000);
    }

    [Fact]
    public void Without_a_reader_output_goes_on_into_the_tail()
    {
        AgentChannel exec = Detached("read x; seq 1 1000000; echo done > done; cat");
        uint process = exec.Started.Process;
        exec.SendAll("\n");
        exec.Control(ControlVerb.Detach);
        Assert.Equal(AgentStatus.Detached, exec.Closed.Status);
        Eventually.True(() => File.Exists(_agent.PathOf("done")), "the end of the output");
        AgentChannel again = _agent.Client.Attach(process, 0);
        again.WaitForOutput("1000000\n");
        again.End();
        Assert.Equal(0, again.Exit.ExitCode);
        Assert.InRange(again.Output.Length, 900_000, AgentProtocol.DefaultTailBytes);
    }

    private AgentChannel Detached(string script) => _agent.Client.Shell(script, ProcessFlags.Detached | ProcessFlags.Stdin);
}
