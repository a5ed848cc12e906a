using System.Text;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    private const string NoInput = "commands of this level cannot be fed";

    [Fact]
    public async Task Arguments_arrive_as_they_were_sent()
    {
        ISandbox sandbox = await CreateAsync();
        string[] odd = ["", " ", "a b", "'", "\"", "$HOME", "`id`", "*", "\\", "line\nline", "tab\t", "ünïcödé 🦀", "-n", "--", "a=b", new string('x', 100 * 1024)];
        Outcome outcome = await sandbox.RunAsync(Stop, ["sh", "-c", "for a; do printf '%s\\0' \"$a\"; done", "sh", .. odd]);
        Assert.Equal(odd, outcome.Output.Split('\0')[..^1]);
    }

    [Fact]
    public async Task Environment_reaches_the_command_and_nothing_private_does()
    {
        Environment.SetEnvironmentVariable("STACYVM_CANARY", "server-secret");
        ISandbox sandbox = await CreateAsync();
        Outcome outcome = await sandbox.RunAsync(
            new ExecSpec
            {
                Arguments = ["env"],
                Environment = new Dictionary<string, string> { ["PLAIN"] = "1", ["ODD"] = "a b='c'\"d\"", ["EMPTY"] = "" },
            },
            Stop);
        string[] lines = outcome.Output.Split('\n');
        Assert.Contains("PLAIN=1", lines);
        Assert.Contains("ODD=a b='c'\"d\"", lines);
        Assert.Contains("EMPTY=", lines);
        Assert.Contains(lines, line => line.StartsWith("PATH=/", StringComparison.Ordinal));
        Assert.DoesNotContain("STACYVM_AGENT_", outcome.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("server-secret", outcome.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_command_has_three_descriptors_and_no_more()
    {
        ISandbox sandbox = await CreateAsync();
        // No pattern and no ls: both would open the directory that they look at.
        Outcome outcome = await sandbox.ShellAsync("n=0; while [ $n -lt 300 ]; do [ -e /proc/$$/fd/$n ] || [ -L /proc/$$/fd/$n ] && echo $n; n=$((n+1)); done", Stop);
        string[] open = outcome.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        // bash keeps a copy of its script's descriptor at 255.
        Assert.Equal(["0", "1", "2"], open.Where(number => number != "255"));
    }

    [Fact]
    public async Task The_working_directory_is_the_workspace_or_what_was_asked_for()
    {
        ISandbox sandbox = await CreateAsync();
        Assert.EndsWith("/workspace\n", (await sandbox.RunAsync(Stop, "pwd")).Output, StringComparison.Ordinal);
        await sandbox.Files.MakeDirectoryAsync("/workspace/deep/er", 0x1ED, Stop);
        Outcome outcome = await sandbox.RunAsync(new ExecSpec { Arguments = ["pwd"], WorkingDirectory = "/workspace/deep/er" }, Stop);
        Assert.EndsWith("/workspace/deep/er\n", outcome.Output, StringComparison.Ordinal);
        await FailsAsync(ProblemKind.InvalidInput, () => sandbox.RunAsync(new ExecSpec { Arguments = ["pwd"], WorkingDirectory = "/workspace/nowhere" }, Stop));
        await FailsAsync(ProblemKind.InvalidInput, () => sandbox.RunAsync(new ExecSpec { Arguments = [] }, Stop));
    }

    [Theory]
    [InlineData("exit 0", 0)]
    [InlineData("exit 1", 1)]
    [InlineData("exit 42", 42)]
    [InlineData("exit 255", 255)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("kill -15 $$", 143)]
    [InlineData("kill -6 $$", 134)]
    public async Task Exit_codes_are_those_of_a_shell(string script, int code)
    {
        ISandbox sandbox = await CreateAsync();
        Outcome outcome = await sandbox.ShellAsync(script, Stop);
        Assert.Equal(code, outcome.Code);
        Assert.False(outcome.Exit.TimedOut);
        Assert.False(outcome.Exit.Killed);
    }

    [Fact]
    public async Task A_program_that_is_missing_or_not_executable_ends_as_in_a_shell()
    {
        ISandbox sandbox = await CreateAsync();
        Outcome missing = await sandbox.RunAsync(Stop, "no-such-program-here");
        Assert.Equal(127, missing.Code);
        Assert.Contains("no-such-program-here", missing.Error, StringComparison.Ordinal);
        await WriteAsync(sandbox, "/workspace/plain", "text", 0x1A4);
        Outcome plain = await sandbox.RunAsync(Stop, "./plain");
        Assert.Equal(126, plain.Code);
        Assert.Contains("plain", plain.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", false)]
    [InlineData(">&2", true)]
    public async Task A_burst_of_64_MiB_arrives_whole(string redirection, bool isError)
    {
        const int Size = 64 * 1024 * 1024;
        ISandbox sandbox = await CreateAsync();
        await using IExecSession session = await sandbox.StartAsync(Shell($"yes 0123456789abcdef | head -c {Size} {redirection}"), Stop);
        byte[] line = Encoding.ASCII.GetBytes("0123456789abcdef\n");
        long at = 0;
        while (await session.ReadAsync(Stop) is { } piece)
        {
            Assert.Equal(isError, piece.IsError);
            Assert.True(Matches(piece.Data.Span, line, at), $"wrong bytes after {at}");
            at += piece.Data.Length;
        }
        Assert.Equal(Size, at);
        Assert.Equal(0, (await session.Exit).Code);
    }

    [Fact]
    public async Task Sixteen_MiB_of_stdin_come_back_through_cat()
    {
        Assert.SkipUnless(TakesInput, NoInput);
        ISandbox sandbox = await CreateAsync();
        byte[] sent = new byte[16 * 1024 * 1024];
        new Random(1).NextBytes(sent);
        await using IExecSession session = await sandbox.StartAsync(new ExecSpec { Arguments = ["cat"], Stdin = true }, Stop);
        Task writing = Task.Run(async () =>
        {
            await session.WriteAsync(sent, Stop);
            await session.CloseInputAsync(Stop);
        });
        Outcome outcome = await session.CollectAsync(Stop);
        await writing;
        Assert.Equal(0, outcome.Code);
        Assert.True(sent.AsSpan().SequenceEqual(outcome.OutputBytes));
    }

    [Fact]
    public async Task Without_stdin_a_reader_sees_its_end_and_writing_to_an_ended_process_is_no_error()
    {
        Assert.SkipUnless(TakesInput, NoInput);
        ISandbox sandbox = await CreateAsync();
        Assert.Equal("0\n", (await sandbox.ShellAsync("cat | wc -c | tr -d ' '", Stop)).Output);
        await using IExecSession session = await sandbox.StartAsync(new ExecSpec { Arguments = ["true"], Stdin = true }, Stop);
        Assert.Equal(0, (await session.CollectAsync(Stop)).Code);
        await session.WriteAsync(new byte[100], Stop);
    }

    [Fact]
    public async Task A_slow_reader_does_not_stall_its_neighbour()
    {
        ISandbox sandbox = await CreateAsync();
        await using IExecSession slow = await sandbox.StartAsync(new ExecSpec { Arguments = ["yes"] }, Stop);
        Assert.NotNull(await slow.ReadAsync(Stop));
        for (int i = 0; i < 20; i++)
            Assert.Equal($"{i}\n", (await sandbox.RunAsync(Stop, "echo", $"{i}")).Output);
        Outcome burst = await sandbox.ShellAsync("head -c 8000000 /dev/zero", Stop);
        Assert.Equal(8_000_000, burst.OutputBytes.Length);
    }

    [Fact]
    public async Task Fifty_commands_at_once_keep_their_output_apart()
    {
        ISandbox sandbox = await CreateAsync();
        Outcome[] outcomes = await Task.WhenAll(Enumerable.Range(0, 50).Select(i => sandbox.ShellAsync($"echo {i}; echo e{i} >&2; exit {i}", Stop)));
        for (int i = 0; i < 50; i++)
        {
            Assert.Equal($"{i}\n", outcomes[i].Output);
            Assert.Equal($"e{i}\n", outcomes[i].Error);
            Assert.Equal(i, outcomes[i].Code);
        }
    }

    [Fact]
    public async Task Signals_reach_the_command()
    {
        Assert.SkipUnless(SendsSignals, "this level sends no signals");
        ISandbox sandbox = await CreateAsync();
        await using IExecSession session = await sandbox.StartAsync(Shell("trap 'echo got; exit 7' USR1; echo ready; while :; do sleep 1; done"), Stop);
        await session.ReadUntilAsync("ready", Stop);
        await session.SignalAsync(10, Stop);
        Outcome outcome = await session.CollectAsync(Stop);
        Assert.Equal("got\n", outcome.Output);
        Assert.Equal(7, outcome.Code);
        await FailsAsync(ProblemKind.InvalidInput, async () => await session.SignalAsync(0, Stop));
    }

    private static bool Matches(ReadOnlySpan<byte> data, ReadOnlySpan<byte> line, long offset)
    {
        for (int i = 0; i < data.Length; i++)
        {
            if (data[i] != line[(int)((offset + i) % line.Length)])
                return false;
        }
        return true;
    }
}
