using System.Text;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Store;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;
using static StacyVM.Tests.Sandboxes.EngineFixture;

namespace StacyVM.Tests.Sandboxes;

public sealed class CommandRunnerTests
{
    [Fact]
    public async Task Output_exit_code_and_duration_come_back_and_are_told()
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        sandbox.Exec = _ => new ScriptedSession((false, "out"u8.ToArray()), (true, "err"u8.ToArray())) { End = new(3, false, false, TimeSpan.Zero) };

        ExecResult result = await fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "exit 3" }, Anyone, default);

        Assert.Equal((3, "out", "err", "0s", null), (result.ExitCode, result.Stdout, result.Stderr, result.Duration, result.Truncated));
        await fixture.EventAsync("exec.started", id);
        await fixture.EventAsync("exec.completed", id);
        await fixture.Engine.Store.FlushAsync();
        AuditRow row = (await fixture.Engine.Store.ReadAuditAsync(null, 10, default)).First(one => one.Action == "exec");
        Assert.Equal(("tester", "exit 3", "success", "exit=3 duration=0s mode=shell"), (row.Actor, row.Resource, row.Status, row.Detail));
        Assert.Equal(1, fixture.Engine.Counters.Snapshot().Single(count => count.Operation == "exec").Successes);
        Assert.Empty(await fixture.Engine.Store.ReadExecLogsAsync(id, 10, default));
    }

    [Theory]
    [InlineData(null, "echo hi", null, "/bin/sh|-c|echo hi")]
    [InlineData("", "", null, "/bin/sh|-c|")]
    [InlineData("shell", "echo", "a b|it's|$HOME|", "/bin/sh|-c|echo 'a b' 'it'\"'\"'s' '$HOME' ''")]
    [InlineData("argv", "echo", "a b|it's", "echo|a b|it's")]
    public async Task Modes_quote_exactly(string? mode, string command, string? args, string expected)
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        var session = new ScriptedSession();
        sandbox.Exec = _ => session;

        await fixture.Engine.Commands.RunAsync(id, new ExecRequest { Mode = mode, Command = command, Args = args?.Split('|') }, Anyone, default);

        Assert.Equal(expected, string.Join('|', session.Spec.Arguments));
    }

    [Theory]
    [InlineData("python", "x", null, null, null, ProblemKind.InvalidInput)]
    [InlineData("argv", "", null, null, null, ProblemKind.InvalidInput)]
    [InlineData("argv", null, null, null, null, ProblemKind.InvalidInput)]
    [InlineData(null, "a\0b", null, null, null, ProblemKind.InvalidInput)]
    [InlineData(null, "x", "A=B", null, null, ProblemKind.InvalidInput)]
    [InlineData(null, "x", "", null, null, ProblemKind.InvalidInput)]
    [InlineData(null, "x", null, "soon", null, ProblemKind.InvalidInput)]
    [InlineData(null, "x", null, "-1s", null, ProblemKind.ResourceLimit)]
    [InlineData(null, "x", null, "11m", null, ProblemKind.ResourceLimit)]
    [InlineData(null, "x", null, null, "/a\0b", ProblemKind.InvalidInput)]
    public async Task A_bad_request_is_refused(string? mode, string? command, string? variable, string? timeout, string? workdir, ProblemKind kind)
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        sandbox.Exec = static _ => throw new InvalidOperationException("nothing may be started");
        var request = new ExecRequest
        {
            Mode = mode,
            Command = command,
            Env = variable is null ? null : new() { [variable] = "v" },
            Timeout = timeout,
            Workdir = workdir,
        };

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => fixture.Engine.Commands.RunAsync(id, request, Anyone, default));

        Assert.Equal(kind, problem.Kind);
    }

    [Theory]
    [InlineData(null, 0, 600, 600)]
    [InlineData("0s", 0, 600, 600)]
    [InlineData("5s", 0, 600, 5)]
    [InlineData(null, 30, 600, 30)]
    [InlineData(null, 900, 600, 600)]
    [InlineData(null, 0, 0, 0)]
    [InlineData("24h", 0, 0, 86400)]
    public async Task Without_a_timeout_the_maximum_applies(string? timeout, int standard, int most, int expected)
    {
        await using EngineFixture fixture = await OpenAsync(defaults => defaults with
        {
            DefaultExecTimeout = TimeSpan.FromSeconds(standard),
            MaxExecTimeout = TimeSpan.FromSeconds(most),
        });
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        var session = new ScriptedSession();
        sandbox.Exec = _ => session;

        await fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "x", Timeout = timeout }, Anyone, default);

        Assert.Equal(TimeSpan.FromSeconds(expected), session.Spec.Timeout);
    }

    [Fact]
    public async Task A_command_that_ran_out_of_time_is_a_timeout_everywhere()
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        sandbox.Exec = static _ => new ScriptedSession { End = new(137, true, true, TimeSpan.Zero) };

        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(
            () => fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "sleep 9", Timeout = "1s" }, Anyone, default));

        Assert.Equal((ProblemKind.ExecTimeout, $"exec timeout: {id}"), (problem.Kind, problem.Message));
        await fixture.EventAsync("exec.timeout", id);
        Assert.DoesNotContain(fixture.Seen, message => message.Type == "exec.completed");
    }

    [Fact]
    public async Task A_command_whose_agent_does_not_end_it_in_time_is_given_up()
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        var session = new ScriptedSession { Hangs = true };
        sandbox.Exec = _ => session;

        Task<ExecResult> run = fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "x", Timeout = "1s" }, Anyone, default);
        await session.Reading.Task.WaitAsync(Patience);
        fixture.Time.Advance(TimeSpan.FromSeconds(12));

        Assert.Equal(ProblemKind.ExecTimeout, (await Assert.ThrowsAsync<StacyVMException>(() => run.WaitAsync(Patience))).Kind);
        Assert.True(session.Disposed);
    }

    [Fact]
    public async Task A_client_that_goes_away_kills_its_command()
    {
        using var client = new CancellationTokenSource();
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        var session = new ScriptedSession { Hangs = true };
        sandbox.Exec = _ => session;

        Task<ExecResult> run = fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "x" }, Anyone, client.Token);
        await session.Reading.Task.WaitAsync(Patience);
        await client.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        Assert.True(session.Disposed);
        await fixture.EventAsync("exec.failed", id);
    }

    [Fact]
    public async Task Output_is_bounded_and_says_so_and_bad_bytes_become_replacement_characters()
    {
        await using EngineFixture fixture = await OpenAsync();
        await fixture.RestartAsync(options: options => options with { Server = options.Server with { MaxExecOutputBytes = 6 } });
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        sandbox.Exec = static _ => new ScriptedSession((false, Encoding.UTF8.GetBytes("aé€€€")), (true, [0x61, 0xFF, 0x62]));

        ExecResult result = await fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "x" }, Anyone, default);

        Assert.Equal(("aé€", "a\uFFFDb", true), (result.Stdout, result.Stderr, result.Truncated));
    }

    [Fact]
    public async Task A_character_that_is_cut_by_the_bound_is_left_out()
    {
        var output = new BoundedOutput(5);

        output.Add(Encoding.UTF8.GetBytes("aé"));
        output.Add(Encoding.UTF8.GetBytes("€"));

        Assert.Equal("aé", output.ToString());
        Assert.True(output.Truncated);
        await Task.CompletedTask;
    }

    [Fact]
    public async Task Stdin_is_fed_and_closed()
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        var session = new ScriptedSession();
        sandbox.Exec = _ => session;

        await fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "cat", Stdin = "hellö" }, Anyone, default);

        Assert.True(session.Spec.Stdin);
        Assert.Equal("hellö", Encoding.UTF8.GetString(session.Input.ToArray()));
        Assert.True(session.InputClosed);
    }

    [Fact]
    public async Task A_streamed_command_is_accounted_for_as_a_whole_one()
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        sandbox.Exec = static _ => ScriptedSession.Saying("x");

        await using (RunningCommand command = await fixture.Engine.Commands.StartAsync(id, new ExecRequest { Command = "x" }, null, false, Anyone, default))
        {
            while (await command.Session.ReadAsync(default) is not null)
            {
            }
            await command.Session.Exit;
        }

        await fixture.EventAsync("exec.started", id);
        await fixture.EventAsync("exec.completed", id);
        await fixture.Engine.Store.FlushAsync();
        Assert.Contains(await fixture.Engine.Store.ReadAuditAsync(null, 10, default), row => row.Action == "exec" && row.Detail.StartsWith("exit=0", StringComparison.Ordinal));
        Assert.Equal(1, fixture.Engine.Counters.Snapshot().Single(count => count.Operation == "exec_stream").Successes);
    }

    [Fact]
    public async Task A_streamed_command_that_is_left_is_a_failure_and_one_in_the_background_is_not()
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        sandbox.Exec = static _ => new ScriptedSession { Hangs = true };
        await (await fixture.Engine.Commands.StartAsync(id, new ExecRequest { Command = "x" }, null, false, Anyone, default)).DisposeAsync();
        await fixture.EventAsync("exec.failed", id);
        var session = new ScriptedSession { Hangs = true };
        sandbox.Exec = _ => session;

        await (await fixture.Engine.Commands.StartAsync(id, new ExecRequest { Command = "x", Background = true }, null, false, Anyone, default)).DisposeAsync();

        Assert.True(session.Spec.Detached);
        Assert.Equal(TimeSpan.Zero, session.Spec.Timeout);
        OperationCount count = fixture.Engine.Counters.Snapshot().Single(one => one.Operation == "exec_stream");
        Assert.Equal((1, 1), (count.Successes, count.Failures));
    }

    [Fact]
    public async Task A_sandbox_that_is_found_gone_in_use_is_marked_at_once()
    {
        await using EngineFixture fixture = await OpenAsync();
        (string id, ScriptedSandbox sandbox) = await SandboxAsync(fixture);
        fixture.World.Runtimes[id].Running = false;
        sandbox.Exec = _ => throw new StacyVMException(ProblemKind.SandboxGone, id);

        await Assert.ThrowsAsync<StacyVMException>(() => fixture.Engine.Commands.RunAsync(id, new ExecRequest { Command = "x" }, Anyone, default));

        await fixture.ReconciledAsync(id, "marked_stopped");
    }

    private static async Task<(string Id, ScriptedSandbox Sandbox)> SandboxAsync(EngineFixture fixture)
    {
        SandboxInfo info = await fixture.SpawnAsync();
        return (info.Id, (ScriptedSandbox)await fixture.Sandboxes.LivingAsync(info.Id, Anyone, default));
    }
}
