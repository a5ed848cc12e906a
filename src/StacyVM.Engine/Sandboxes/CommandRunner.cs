using System.Text;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Quotas;
using StacyVM.Engine.Secrets;
using StacyVM.Engine.Store;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Commands in sandboxes: validation, timeouts, events, log rows and counters around the one primitive <see cref="ISandbox.StartAsync"/>.</summary>
internal sealed class CommandRunner(
    StacyOptions options, SandboxDirectory sandboxes, OwnerQuotas quotas, OperationJournal journal, StoreLimits limits, SecretBox secrets)
{
    /// <summary>The agent ends a command in time by itself; this is for an agent that does not.</summary>
    private static readonly TimeSpan AgentGrace = TimeSpan.FromSeconds(10);

    /// <summary>A timer takes at most 49 days; longer commands are left to the agent alone.</summary>
    private static readonly TimeSpan LongestWatch = TimeSpan.FromDays(30);

    private readonly ExecValidation _validation = new(options.Defaults);

    /// <summary>Runs to the end and returns the whole output, bounded by <c>server.max_exec_output_bytes</c> a stream. Abandoned: killed with its tree.</summary>
    /// <exception cref="StacyVMException">InvalidInput, ExecTimeout, ResourceLimit for a timeout above the maximum, SandboxNotFound, SandboxGone.</exception>
    public async Task<ExecResult> RunAsync(string id, ExecRequest request, Caller caller, CancellationToken cancellation)
    {
        if (request.Background == true)
            throw new StacyVMException(ProblemKind.InvalidInput, "a background command has no result to wait for: start it");
        ExecSpec spec = _validation.Plan(request, terminal: null, stdin: false, LongestOf(id, caller));
        ISandbox sandbox = await sandboxes.LivingAsync(id, caller, cancellation);
        spec = InEnvironment(spec, id, caller) with { Whole = true };
        CommandAccount account = Account("exec", id, request, caller);
        var stdout = new BoundedOutput(options.Server.MaxExecOutputBytes);
        var stderr = new BoundedOutput(options.Server.MaxExecOutputBytes);
        account.Started();
        using CancellationTokenSource overdue = Overdue(spec.Timeout);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation, overdue.Token);
        try
        {
            ExecExit exit = await RunAsync(sandbox, spec, request.Stdin, stdout, stderr, ending.Token);
            account.Ended(exit, stdout, stderr);
            if (exit.TimedOut)
                throw CommandAccount.TimedOut(id);
            return new ExecResult
            {
                ExitCode = exit.Code,
                Stdout = stdout.ToString(),
                Stderr = stderr.ToString(),
                Duration = GoDuration.Format(account.Elapsed),
                Truncated = stdout.Truncated || stderr.Truncated ? true : null,
            };
        }
        catch (OperationCanceledException) when (overdue.IsCancellationRequested && !cancellation.IsCancellationRequested)
        {
            StacyVMException timeout = CommandAccount.TimedOut(id);
            account.Failed(timeout);
            throw timeout;
        }
        catch (Exception e)
        {
            account.Failed(e);
            DoubtIfGone(id, e);
            throw;
        }
    }

    /// <summary>Starts a command for a streamed or interactive client. The caller reads the session, then disposes the command.</summary>
    /// <param name="id">In which sandbox.</param>
    /// <param name="request">What; its <c>stdin</c> text is fed first.</param>
    /// <param name="terminal">On a terminal of this size; null for pipes.</param>
    /// <param name="stdin">Keep stdin open for the caller.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="cancellation">Abandons the start.</param>
    public async Task<RunningCommand> StartAsync(string id, ExecRequest request, TerminalSize? terminal, bool stdin, Caller caller, CancellationToken cancellation)
    {
        ExecSpec spec = _validation.Plan(request, terminal, stdin, LongestOf(id, caller));
        ISandbox sandbox = await sandboxes.LivingAsync(id, caller, cancellation);
        spec = InEnvironment(spec, id, caller);
        CommandAccount account = Account("exec_stream", id, request, caller);
        account.Started();
        try
        {
            IExecSession session = await sandbox.StartAsync(spec, cancellation);
            Task feeding = request.Stdin is null ? Task.CompletedTask : FeedAsync(session, request.Stdin, close: !stdin, CancellationToken.None);
            return new RunningCommand(session, account, spec.Detached, feeding);
        }
        catch (Exception e)
        {
            account.Failed(e);
            DoubtIfGone(id, e);
            throw;
        }
    }

    /// <summary>Attaches to a process again; what is let go of runs on.</summary>
    /// <exception cref="StacyVMException">NotFound when the sandbox does not know the process, Unsupported when its level keeps none.</exception>
    public async Task<RunningCommand> AttachAsync(string id, uint process, ulong offset, Caller caller, CancellationToken cancellation)
    {
        ISandbox sandbox = await sandboxes.LivingAsync(id, caller, cancellation);
        if (sandbox is not IKeepsProcesses keeper)
            throw new StacyVMException(ProblemKind.Unsupported, $"the level of {id} keeps no processes to attach to");
        return new RunningCommand(await keeper.AttachAsync(process, offset, cancellation), account: null, detached: true, Task.CompletedTask);
    }

    private static async Task<ExecExit> RunAsync(
        ISandbox sandbox, ExecSpec spec, string? stdin, BoundedOutput stdout, BoundedOutput stderr, CancellationToken cancellation)
    {
        await using IExecSession session = await sandbox.StartAsync(spec, cancellation);
        // Beside the reading: a command that answers before it has read all its input would block both sides.
        Task feeding = stdin is null ? Task.CompletedTask : FeedAsync(session, stdin, close: true, cancellation);
        while (await session.ReadAsync(cancellation) is { } output)
            (output.IsError ? stderr : stdout).Add(output.Data.Span);
        ExecExit exit = await session.Exit.WaitAsync(cancellation);
        // A command may end without reading its input; disposing the session ends the feeding.
        _ = feeding;
        return exit;
    }

    private static async Task FeedAsync(IExecSession session, string text, bool close, CancellationToken cancellation)
    {
        try
        {
            await session.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation);
            if (close)
                await session.CloseInputAsync(cancellation);
        }
        catch (Exception e) when (e is OperationCanceledException or StacyVMException or IOException or ObjectDisposedException)
        {
            // The command ended or closed its stdin without reading everything: no error for a shell, and none here.
        }
    }

    /// <summary>With the variables of the sandbox itself; the command's own win.</summary>
    private ExecSpec InEnvironment(ExecSpec spec, string id, Caller caller) => sandboxes.Record(id, caller).Environment is { } environment
        ? spec with { Environment = environment.With(spec.Environment, id, secrets) }
        : spec;

    /// <summary>The longest time that a command may take: its sandbox's owner decides.</summary>
    private TimeSpan LongestOf(string id, Caller caller) => quotas.LimitsOf(sandboxes.Record(id, caller).OwnerId).MaxExecTimeout;

    private CancellationTokenSource Overdue(TimeSpan timeout) =>
        timeout > TimeSpan.Zero && timeout < LongestWatch ? new CancellationTokenSource(timeout + AgentGrace, journal.Clock) : new CancellationTokenSource();

    private CommandAccount Account(string operation, string id, ExecRequest request, Caller caller) =>
        new(journal, limits, sandboxes.Record(id, caller), caller, operation, request.Command ?? "", ExecValidation.ModeOf(request));

    private void DoubtIfGone(string id, Exception error)
    {
        if (error is StacyVMException { Kind: ProblemKind.SandboxGone })
            sandboxes.Doubt(id);
    }
}
