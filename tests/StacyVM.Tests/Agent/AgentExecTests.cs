using System.Security.Cryptography;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentExecTests : IDisposable
{
    private readonly AgentProgram _agent = AgentProgram.Start();

    public void Dispose() => _agent.Dispose();

    [Fact]
    public void Output_and_error_and_code_arrive()
    {
        AgentChannel exec = _agent.Client.Shell("echo out; echo err >&2; exit 3");
        Assert.Equal(3, exec.Exit.ExitCode);
        Assert.Equal("out\n", exec.OutputText);
        Assert.Equal("err\n", exec.ErrorText);
        Assert.Equal(8ul, exec.Exit.OutputBytes);
        Assert.True(exec.Started.Pid > 0);
    }

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("a b'c\"d\\e$f*")]
    [InlineData("line\nbreak\ttab")]
    [InlineData("žluťoučký 🐎")]
    [InlineData("--")]
    public void Arguments_arrive_as_they_are(string argument)
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["printf", "%s|", argument, "end"] });
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal(argument + "|end|", exec.OutputText);
    }

    [Fact]
    public void The_environment_is_the_agents_without_its_secrets_and_with_what_was_asked()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest
        {
            Arguments = ["env"],
            Environment = [new("ADDED", "a=b c"), new("PATH", "/usr/bin:/bin"), new("STACYVM_AGENT_X", "no")],
        });
        Assert.Equal(0, exec.Exit.ExitCode);
        string[] lines = exec.OutputText.Split('\n');
        Assert.Contains("INHERITED=yes", lines);
        Assert.Contains("ADDED=a=b c", lines);
        Assert.Contains("PATH=/usr/bin:/bin", lines);
        Assert.DoesNotContain(lines, l => l.StartsWith("STACYVM_AGENT", StringComparison.Ordinal));
    }

    [Fact]
    public void The_agents_own_environment_shows_no_token() =>
        Assert.DoesNotContain("the-token", File.ReadAllText($"/proc/{_agent.Pid}/environ"), StringComparison.Ordinal);

    [Fact]
    public void The_working_directory_is_the_default_or_the_one_asked_for()
    {
        AgentChannel usual = _agent.Client.Shell("pwd");
        Assert.Equal(0, usual.Exit.ExitCode);
        Assert.Equal(_agent.Directory + "\n", usual.OutputText);
        AgentChannel asked = _agent.Client.Start(new StartProcessRequest { Arguments = ["pwd"], WorkingDirectory = "/usr" });
        Assert.Equal(0, asked.Exit.ExitCode);
        Assert.Equal("/usr\n", asked.OutputText);
    }

    [Fact]
    public void A_working_directory_through_open_files_is_refused()
    {
        string[] directories = [.. Enumerable.Range(3, 62).Select(n => "/proc/self/fd/" + n), "/proc/1/cwd", "/proc/self/root", "/dev/fd/3", "/proc/../proc/self/fd/5", "/nowhere"];
        File.CreateSymbolicLink(_agent.PathOf("door"), "/proc/self/fd/3");
        foreach (string directory in directories.Append("door"))
        {
            AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["pwd"], WorkingDirectory = directory });
            Assert.Equal(AgentStatus.InvalidArgument, exec.Closed.Status);
            Assert.Empty(exec.Output);
        }
    }

    [Theory]
    [InlineData("no-such-program-at-all", 127, "command not found")]
    [InlineData("/no/such/program", 127, "command not found")]
    [InlineData("/etc/passwd", 126, "permission denied")]
    [InlineData("/etc", 126, "permission denied")]
    public void What_cannot_run_is_reported_as_a_shell_does(string program, int code, string reason)
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = [program] });
        Assert.Equal(code, exec.Exit.ExitCode);
        Assert.Equal($"stacyvm: {program}: {reason}\n", exec.ErrorText);
    }

    [Fact]
    public void A_script_without_an_interpreter_line_is_run_by_the_shell()
    {
        File.WriteAllText(_agent.PathOf("script"), "echo \"$0 $1\"\n");
        File.SetUnixFileMode(_agent.PathOf("script"), (UnixFileMode)0x1ed);
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["./script", "x"] });
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("./script x\n", exec.OutputText);
    }

    [Theory]
    [InlineData("TERM", 15)]
    [InlineData("KILL", 9)]
    [InlineData("SEGV", 11)]
    [InlineData("PIPE", 13)]
    public void A_signal_is_128_more(string name, int signal)
    {
        ProcessExit exit = _agent.Client.Shell($"kill -{name} $$").Exit;
        Assert.Equal(128 + signal, exit.ExitCode);
        Assert.Equal(signal, exit.Signal);
        Assert.Equal(ExitFlags.None, exit.Flags);
    }

    [Fact]
    public void Nul_and_emptiness_are_invalid()
    {
        Assert.Equal(AgentStatus.InvalidArgument, _agent.Client.Start(new StartProcessRequest { Arguments = [] }).Closed.Status);
        Assert.Equal(AgentStatus.InvalidArgument, _agent.Client.Start(new StartProcessRequest { Arguments = ["echo", "a\0b"] }).Closed.Status);
        Assert.Equal(
            AgentStatus.InvalidArgument,
            _agent.Client.Start(new StartProcessRequest { Arguments = ["true"], Environment = [new("A=B", "c")] }).Closed.Status);
    }

    [Fact]
    public void Stdin_reaches_the_command_and_ends()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["cat"], Flags = ProcessFlags.Stdin });
        exec.SendAll("hello");
        exec.WaitForOutput("hello");
        exec.SendAll(" again");
        exec.End();
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("hello again", exec.OutputText);
    }

    [Fact]
    public void Much_stdin_passes_through_unchanged()
    {
        byte[] content = new byte[16 * 1024 * 1024 + 7];
        new Random(1).NextBytes(content);
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["sha256sum"], Flags = ProcessFlags.Stdin });
        exec.SendAll(content);
        exec.End();
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.StartsWith(Convert.ToHexStringLower(SHA256.HashData(content)), exec.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public void Stdin_that_nobody_reads_blocks_nothing()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["true"], Flags = ProcessFlags.Stdin });
        exec.SendAll(new byte[4 * 1024 * 1024]);
        Assert.Equal(0, exec.Exit.ExitCode);
    }

    [Fact]
    public void Without_stdin_a_command_reads_its_end_at_once() => Assert.Equal(0, _agent.Client.Shell("cat").Exit.ExitCode);

    [Fact]
    public void A_burst_of_64_MiB_arrives_whole_and_costs_the_agent_little()
    {
        const long size = 64 * 1024 * 1024;
        AgentChannel exec = _agent.Client.Shell("i=0; while [ $i -lt 64 ]; do seq 1 200000 | head -c 1048576; i=$((i+1)); done");
        Assert.Equal(0, exec.Exit.ExitCode);
        byte[] output = exec.Output;
        Assert.Equal(size, output.Length);
        byte[] first = output[..1048576];
        for (int i = 1; i < 64; i++)
            Assert.True(output.AsSpan(i * 1048576, 1048576).SequenceEqual(first));
        Assert.StartsWith("1\n2\n3\n", System.Text.Encoding.UTF8.GetString(first, 0, 6), StringComparison.Ordinal);
        Assert.InRange(_agent.StatusKilobytes("VmHWM"), 1, 16 * 1024);
    }

    [Fact]
    public void A_command_holds_no_descriptor_but_the_first_three()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["sh", "-c", "i=0; while [ $i -lt 256 ]; do [ -L /proc/$$/fd/$i ] && echo $i; i=$((i+1)); done; true"] });
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("0\n1\n2\n", exec.OutputText);
    }

    [Fact]
    public void Signals_limits_and_mask_are_those_of_a_fresh_program()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["sh", "-c", "grep -E 'SigBlk|SigIgn|NoNewPrivs' /proc/self/status; umask; ulimit -n"] });
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Contains("SigBlk:\t0000000000000000", exec.OutputText, StringComparison.Ordinal);
        Assert.Contains("SigIgn:\t0000000000000000", exec.OutputText, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", exec.OutputText, StringComparison.Ordinal);
        Assert.Contains("0022\n", exec.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_user_is_another_user()
    {
        AgentChannel exec = _agent.Client.Start(new StartProcessRequest { Arguments = ["sh", "-c", "id -u; id -g; id -G"], WorkingDirectory = "/", UserId = 1234, GroupId = 4321 });
        Assert.Equal(0, exec.Exit.ExitCode);
        Assert.Equal("1234\n4321\n4321\n", exec.OutputText);
    }

    [Fact]
    public void Launchers_powers_are_refused_inside_a_sandbox()
    {
        StartProcessRequest[] requests =
        [
            new() { Arguments = ["true"], Flags = ProcessFlags.Unsupervised },
            new() { Arguments = ["true"], Cgroups = ["/tmp/x"] },
            new() { Arguments = ["true"], Limits = [new(7, 10)] },
            new() { Arguments = ["true"], Files = [new(5, "/etc/passwd", false)] },
        ];
        foreach (StartProcessRequest request in requests)
            Assert.Equal(AgentStatus.Unsupported, _agent.Client.Start(request).Closed.Status);
    }

    [Fact]
    public void A_slow_reader_stalls_itself_and_no_other()
    {
        AgentChannel slow = _agent.Client.Start(
            new StartProcessRequest { Arguments = ["sh", "-c", "head -c 8388608 /dev/zero; echo done >&2"] }, takesOutput: false);
        slow.WaitForOutput(AgentProtocol.InitialWindow);
        for (int i = 0; i < 20; i++)
            Assert.Equal(0, _agent.Client.Shell("echo hello").Exit.ExitCode);
        Assert.Equal(AgentProtocol.InitialWindow, slow.Output.Length);
        // The command itself waits: what it could not write is not lost and not held by the agent.
        Assert.DoesNotContain("done", slow.ErrorText, StringComparison.Ordinal);
        slow.TakeOutput();
        Assert.Equal(0, slow.Exit.ExitCode);
        Assert.Equal(8388608, slow.Output.Length);
        Assert.Equal("done\n", slow.ErrorText);
    }

    [Fact]
    public void Two_hundred_commands_at_once_all_end()
    {
        AgentChannel[] execs = [.. Enumerable.Range(0, 200).Select(i => _agent.Client.Shell("echo " + i))];
        for (int i = 0; i < execs.Length; i++)
        {
            Assert.Equal(0, execs[i].Exit.ExitCode);
            Assert.Equal(i + "\n", execs[i].OutputText);
        }
        Assert.Empty(_agent.Client.Processes());
    }
}
