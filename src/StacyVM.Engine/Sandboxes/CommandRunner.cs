using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Commands in sandboxes: validation, timeouts, events, log rows and counters around the one primitive <see cref="ISandbox.StartAsync"/>.</summary>
internal sealed class CommandRunner
{
    /// <summary>Runs to the end and returns the whole output, bounded by <c>server.max_exec_output_bytes</c> a stream. Abandoned: killed with its tree.</summary>
    /// <exception cref="StacyVMException">InvalidInput, ExecTimeout, ResourceLimit for a timeout above the maximum, SandboxNotFound, SandboxGone.</exception>
    public Task<ExecResult> RunAsync(string id, ExecRequest request, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Starts a command for a streamed or interactive client. The caller reads the session, then calls <see cref="RunningCommand.Finish"/> by disposing it.</summary>
    public Task<RunningCommand> StartAsync(string id, ExecRequest request, TerminalSize? terminal, bool stdin, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Attaches to a process again.</summary>
    public Task<RunningCommand> AttachAsync(string id, uint process, ulong offset, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();
}

/// <summary>A command with a client: its session, and the accounting that is done when it ends.</summary>
internal sealed class RunningCommand(IExecSession session) : IAsyncDisposable
{
    public IExecSession Session { get; } = session;

    /// <summary>Records how it ended; disposes the session.</summary>
    public ValueTask DisposeAsync() => Session.DisposeAsync();
}
