using System.Diagnostics;
using System.Text;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using Xunit;

namespace StacyVM.Scenarios;

public sealed class CommandScenarios
{
    [Fact]
    public async Task Exec_tells_output_and_exit_code()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        ExecResult result = await sandbox.ExecAsync("echo out; echo err >&2; exit 3");
        Assert.Equal((3, "out\n", "err\n"), (result.ExitCode, result.Stdout, result.Stderr));
        Assert.NotEmpty(result.Duration);
    }

    [Fact]
    public async Task Exec_argv_changes_no_argument()
    {
        string[] words = ["two words", "it's", "\"$HOME\"", "`id`", "a\nb", "🙂", "*"];
        string expected = string.Concat(words.Select(word => $"<{word}>"));
        await using Sandbox sandbox = await Site.SpawnAsync();
        Assert.Equal(expected, (await sandbox.ExecAsync("printf", new ExecOptions { Args = ["<%s>", .. words], Mode = ExecMode.Argv })).Stdout);
        Assert.Equal(expected, (await sandbox.ExecAsync("printf", new ExecOptions { Args = ["<%s>", .. words] })).Stdout);
    }

    [Fact]
    public async Task Exec_has_env_workdir_and_stdin()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        var options = new ExecOptions { Env = new Dictionary<string, string> { ["GREETING"] = "grüezi" }, Workdir = "/tmp", Stdin = "from stdin" };
        Assert.Equal("grüezi in /tmp: from stdin\n", (await sandbox.ExecAsync("echo \"$GREETING in $(pwd): $(cat)\"", options)).Stdout);
    }

    [Fact]
    public async Task Exec_timeout_is_its_own_error()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        var clock = Stopwatch.StartNew();
        var options = new ExecOptions { Timeout = TimeSpan.FromMilliseconds(300) };
        ServerException fault = await Assert.ThrowsAsync<ServerException>(() => sandbox.ExecAsync("sleep 60", options));
        Assert.Equal((ProblemKind.ExecTimeout, "TIMEOUT"), (fault.Kind, fault.Code));
        Assert.Contains(sandbox.Id, fault.Message);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Stream_comes_as_it_is_written()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        var seen = new List<StreamChunk>();
        await foreach (StreamChunk chunk in sandbox.ExecStreamAsync("echo first; until [ -e go ]; do sleep 0.02; done; echo second >&2; exit 4"))
        {
            if (seen.Count == 0)
                await sandbox.WriteFileAsync("/workspace/go", "");
            seen.Add(chunk);
        }
        Assert.Equal([("stdout", "first\n"), ("stderr", "second\n"), ("stdout", "")], seen.Select(chunk => (chunk.Stream, chunk.Data)));
        Assert.Equal(4, seen[^1].ExitCode);
    }

    [Fact]
    public async Task Stream_timeout_is_an_error_after_the_output()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        var seen = new StringBuilder();
        ServerException fault = await Assert.ThrowsAsync<ServerException>(async () =>
        {
            var options = new ExecOptions { Timeout = TimeSpan.FromMilliseconds(500) };
            await foreach (StreamChunk chunk in sandbox.ExecStreamAsync("echo begun; sleep 60", options))
                seen.Append(chunk.Data);
        });
        Assert.Equal(ProblemKind.ExecTimeout, fault.Kind);
        Assert.StartsWith("begun\n", seen.ToString());
    }

    [Fact]
    public async Task Stream_that_cannot_start_tells_why()
    {
        Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.DestroyAsync();
        SandboxNotFoundException fault = await Assert.ThrowsAsync<SandboxNotFoundException>(() => EndAsync(sandbox.ExecStreamAsync("true")));
        Assert.Equal(sandbox.Id, fault.SandboxId);
    }

    [Fact]
    public async Task Abandoned_stream_ends_the_command()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await foreach (StreamChunk _ in sandbox.ExecStreamAsync("while :; do echo abandoned; sleep 0.1; done"))
        {
            Assert.True(await Site.RunsAsync(sandbox, "abandoned"));
            break;
        }
        await Site.EventuallyAsync(async () => !await Site.RunsAsync(sandbox, "abandoned"));
    }

    [Fact]
    public async Task Cancelled_exec_ends_the_command()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        using var cancel = new CancellationTokenSource();
        Task<ExecResult> call = sandbox.ExecAsync("sleep 4321", null, cancel.Token);
        await Site.EventuallyAsync(() => Site.RunsAsync(sandbox, "sleep 4321"));
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
        await Site.EventuallyAsync(async () => !await Site.RunsAsync(sandbox, "sleep 4321"));
    }

    [Fact]
    public async Task Background_process_runs_on_and_is_replayed()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        ProcessInfo started = await sandbox.StartBackgroundAsync("echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 7");
        Assert.True(started.Running);
        Assert.Contains(await sandbox.ProcessesAsync(), process => process.ProcessId == started.ProcessId);
        await Site.EventuallyAsync(async () => (await sandbox.ProcessAsync(started.ProcessId)).OutputBytes == 4);
        Assert.Equal("one\n", (await EndAsync(sandbox.ProcessOutputAsync(started.ProcessId))).Text);
        await sandbox.WriteFileAsync("/workspace/go", "");
        Assert.Equal(("one\ntwo\n", 7), await EndAsync(sandbox.ProcessOutputAsync(started.ProcessId, follow: true)));
        Assert.Equal("two\n", (await EndAsync(sandbox.ProcessOutputAsync(started.ProcessId, offset: 4))).Text);
        ProcessInfo ended = await sandbox.ProcessAsync(started.ProcessId);
        Assert.Equal((false, 7), (ended.Running, ended.ExitCode));
    }

    [Fact]
    public async Task Background_process_takes_signals()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        ProcessInfo first = await sandbox.StartBackgroundAsync("trap 'exit 42' TERM; echo ready; while :; do sleep 0.05; done");
        ProcessInfo second = await sandbox.StartBackgroundAsync("sleep 600");
        await foreach (StreamChunk _ in sandbox.ProcessOutputAsync(first.ProcessId, follow: true))
            break;
        await sandbox.SignalProcessAsync(first.ProcessId, "TERM");
        Assert.Equal(42, (await EndAsync(sandbox.ProcessOutputAsync(first.ProcessId, follow: true))).ExitCode);
        await sandbox.KillProcessAsync(second.ProcessId);
        await EndAsync(sandbox.ProcessOutputAsync(second.ProcessId, follow: true));
        Assert.False((await sandbox.ProcessAsync(second.ProcessId)).Running);
        await Assert.ThrowsAsync<NotFoundException>(() => sandbox.ProcessAsync(999_999));
    }

    [Fact]
    public async Task Terminal_has_size_input_and_signals()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await using ExecSession session = await sandbox.OpenSessionAsync("sh", new ExecSessionOptions { Terminal = true, Columns = 100, Rows = 30 });
        await session.WriteAsync("stty size\n");
        await ReadUntilAsync(session, "30 100");
        await session.ResizeAsync(120, 40);
        await session.WriteAsync("stty size\n");
        await ReadUntilAsync(session, "40 120");
        // The terminal shows what is typed: only what runs can print the words without the quotes.
        await session.WriteAsync("sh -c \"trap 'echo stop''ped; exit' INT; echo rea''dy; while :; do sleep 0.05; done\"\n");
        await ReadUntilAsync(session, "ready");
        await session.SignalAsync("INT");
        await ReadUntilAsync(session, "stopped");
        await session.WriteAsync("exit 5\n");
        Assert.Equal(5, (await session.WaitAsync()).Code);
    }

    [Fact]
    public async Task Session_carries_bytes_both_ways()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        await using ExecSession session = await sandbox.OpenSessionAsync("cat", new ExecSessionOptions { Mode = ExecMode.Argv });
        byte[] data = [.. Enumerable.Range(0, 256 * 40).Select(value => (byte)value)];
        await session.WriteAsync(data);
        await session.CloseInputAsync();
        Assert.Equal(data, await BytesAsync(session));
        Assert.Equal(0, session.Exit!.Code);
    }

    [Fact]
    public async Task Session_is_attached_to_again()
    {
        await using Sandbox sandbox = await Site.SpawnAsync();
        var background = new ExecSessionOptions { Background = true };
        long number, offset;
        await using (ExecSession session = await sandbox.OpenSessionAsync("echo one; until [ -e go ]; do sleep 0.02; done; echo two; exit 6", background))
        {
            Assert.Equal("one\n", await ReadUntilAsync(session, "one\n"));
            (number, offset) = (session.ProcessId, session.Offset);
        }
        await sandbox.WriteFileAsync("/workspace/go", "");
        await using ExecSession again = await sandbox.AttachAsync(number, offset);
        Assert.Equal("two\n"u8.ToArray(), await BytesAsync(again));
        Assert.Equal(6, again.Exit!.Code);
        await using ExecSession whole = await sandbox.AttachAsync(number);
        Assert.Equal("one\ntwo\n"u8.ToArray(), await BytesAsync(whole));
    }

    [Fact]
    public async Task Session_that_cannot_start_tells_why()
    {
        Sandbox sandbox = await Site.SpawnAsync();
        await sandbox.DestroyAsync();
        SandboxNotFoundException fault = await Assert.ThrowsAsync<SandboxNotFoundException>(() => sandbox.OpenSessionAsync("true"));
        Assert.Equal(sandbox.Id, fault.SandboxId);
    }

    private static async Task<(string Text, int? ExitCode)> EndAsync(IAsyncEnumerable<StreamChunk> chunks)
    {
        var text = new StringBuilder();
        int? exitCode = null;
        await foreach (StreamChunk chunk in chunks)
        {
            text.Append(chunk.Data);
            exitCode = chunk.ExitCode ?? exitCode;
        }
        return (text.ToString(), exitCode);
    }

    private static async Task<string> ReadUntilAsync(ExecSession session, string wanted)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var seen = new StringBuilder();
        while (!seen.ToString().Contains(wanted, StringComparison.Ordinal))
        {
            SessionOutput? output = await session.ReadAsync(patience.Token);
            Assert.True(output is not null, $"the session ended after {seen}");
            seen.Append(Encoding.UTF8.GetString(output.Value.Data.Span));
        }
        return seen.ToString();
    }

    private static async Task<byte[]> BytesAsync(ExecSession session)
    {
        using var whole = new MemoryStream();
        await foreach (SessionOutput output in session.ReadAllAsync())
            whole.Write(output.Data.Span);
        return whole.ToArray();
    }
}
