namespace StacyVM.Engine.Providers;

/// <summary>
/// A living sandbox, whatever wall is around it. All members may be called concurrently. Members throw
/// <see cref="Protocol.Problems.ProblemKind.SandboxGone"/> when the sandbox ended or its agent stays away for longer than a few seconds.
/// </summary>
internal interface ISandbox
{
    string Id { get; }

    /// <summary>The image that really runs.</summary>
    string Image { get; }

    /// <summary>For <see cref="ISandboxProvider.RecoverAsync"/>; does not change over the sandbox's life.</summary>
    SandboxHandle Handle { get; }

    /// <summary>Whether the runtime is alive, as the level sees it (not merely whether the agent answers). Cheap.</summary>
    Task<RuntimeStatus> StatusAsync(CancellationToken cancellation);

    /// <summary>Starts a process. The one primitive under whole-output, streamed and WebSocket exec.</summary>
    Task<IExecSession> StartAsync(ExecSpec spec, CancellationToken cancellation);

    ISandboxFiles Files { get; }

    /// <summary>Ends everything in it, removes everything of it, in milliseconds. Returns when it is gone; repeating it is not an error.</summary>
    Task DestroyAsync(CancellationToken cancellation);
}

/// <summary>What a level says of a runtime.</summary>
internal enum RuntimeState
{
    Running,
    Stopped,
    Paused,
    Gone,
}

/// <param name="State">What it is.</param>
/// <param name="Reason">Why, when it is not running: exit code, signal, out of memory, last line of its console.</param>
internal sealed record RuntimeStatus(RuntimeState State, string? Reason = null);

/// <summary>Optional power: processes that can be listed and attached to again.</summary>
internal interface IKeepsProcesses
{
    Task<IReadOnlyList<ProcessSnapshot>> ListProcessesAsync(CancellationToken cancellation);

    /// <summary>Attaches to a running or retained process; replays from a byte offset over both streams.</summary>
    Task<IExecSession> AttachAsync(uint process, ulong offset, CancellationToken cancellation);

    /// <summary>Signals it; 0 kills its whole tree.</summary>
    Task SignalProcessAsync(uint process, int signal, CancellationToken cancellation);
}

/// <summary>A process the agent knows.</summary>
internal sealed record ProcessSnapshot(
    uint Process, uint Pid, string Command, DateTime StartedAt, bool Running, int ExitCode, ulong OutputBytes, bool Terminal);

/// <summary>Optional power: TCP ports of the sandbox can be reached.</summary>
internal interface IForwardsPorts
{
    /// <summary>Connects to a port on the sandbox's loopback.</summary>
    /// <exception cref="Protocol.Problems.StacyVMException"><see cref="Protocol.Problems.ProblemKind.Unavailable"/> when nothing listens there.</exception>
    Task<Stream> ConnectAsync(int port, CancellationToken cancellation);

    Task<IReadOnlyList<int>> ListPortsAsync(CancellationToken cancellation);
}

/// <summary>Optional power: it says what it uses.</summary>
internal interface IReportsUsage
{
    Task<SandboxUsage> UsageAsync(CancellationToken cancellation);
}

/// <param name="CpuTime">Since its start.</param>
/// <param name="CpuPercent">Of one processor, over the last sample.</param>
/// <param name="MemoryBytes">In use.</param>
/// <param name="MemoryLimitBytes">0 when there is none.</param>
/// <param name="Processes">Alive.</param>
/// <param name="DiskBytes">Used in the writable part; -1 when unknown.</param>
internal sealed record SandboxUsage(TimeSpan CpuTime, double CpuPercent, long MemoryBytes, long MemoryLimitBytes, int Processes, long DiskBytes);

/// <summary>Optional power: it has a console.</summary>
internal interface IConsoleLog
{
    /// <summary>The last lines, oldest first.</summary>
    Task<IReadOnlyList<string>> TailAsync(int lines, CancellationToken cancellation);
}
