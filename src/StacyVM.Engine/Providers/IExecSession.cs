namespace StacyVM.Engine.Providers;

/// <summary>What to run.</summary>
internal sealed record ExecSpec
{
    /// <summary>Program and arguments. A program that is not found ends with 127 and a line on stderr.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Empty: the sandbox's default.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>Its whole tree is killed after so long, by the agent itself. Zero: never.</summary>
    public TimeSpan Timeout { get; init; }

    /// <summary>Keep stdin open for <see cref="IExecSession.WriteAsync"/>; otherwise it is <c>/dev/null</c>.</summary>
    public bool Stdin { get; init; }

    /// <summary>Run on a terminal of this size; null for pipes.</summary>
    public TerminalSize? Terminal { get; init; }

    /// <summary>Outlives its session: disposing lets go of it instead of killing it.</summary>
    public bool Detached { get; init; }

    /// <summary>Nobody looks at the output before the end: a level that has to choose between an early output and a sure exit code takes the second.</summary>
    public bool Whole { get; init; }
}

internal readonly record struct TerminalSize(int Columns, int Rows);

/// <summary>
/// A running process and a client's hold on it: streams, signals, size and exit in one place. One reader, one writer at a time.
/// Disposing a session whose process runs on kills the process with its whole tree, unless it is detached.
/// </summary>
internal interface IExecSession : IAsyncDisposable
{
    /// <summary>The agent's number of the process.</summary>
    uint Process { get; }

    /// <summary>Process id inside the sandbox; 0 when the level does not tell.</summary>
    uint Pid { get; }

    /// <summary>Offset of the first byte that <see cref="ReadAsync"/> gives: 0, or where a replay begins.</summary>
    ulong Offset { get; }

    /// <summary>
    /// The next piece of output, in the order of arrival; null when output has ended. What is not read makes the process wait.
    /// </summary>
    ValueTask<ExecOutput?> ReadAsync(CancellationToken cancellation);

    /// <summary>Feeds stdin; waits while the process does not read.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation);

    /// <summary>End of stdin.</summary>
    ValueTask CloseInputAsync(CancellationToken cancellation);

    ValueTask ResizeAsync(TerminalSize size, CancellationToken cancellation);

    /// <summary>Sends a signal to the foreground process group of a terminal, else to the process's group.</summary>
    ValueTask SignalAsync(int signal, CancellationToken cancellation);

    /// <summary>Kills the whole tree.</summary>
    ValueTask KillAsync(CancellationToken cancellation);

    /// <summary>How it ended. Completes only when output has been read to its end or the session is disposed.</summary>
    Task<ExecExit> Exit { get; }
}

/// <param name="IsError">stderr; a terminal has only stdout.</param>
/// <param name="Data">Valid until the next read.</param>
internal readonly record struct ExecOutput(bool IsError, ReadOnlyMemory<byte> Data);

/// <param name="Code">128 + signal when a signal ended it.</param>
/// <param name="TimedOut">Killed because its time was up.</param>
/// <param name="Killed">Killed by request.</param>
/// <param name="Duration">As measured by the agent.</param>
internal sealed record ExecExit(int Code, bool TimedOut, bool Killed, TimeSpan Duration);
