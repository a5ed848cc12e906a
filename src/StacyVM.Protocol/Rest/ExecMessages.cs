namespace StacyVM.Protocol.Rest;

/// <summary>Body of <c>POST /sandboxes/{id}/exec</c>.</summary>
public sealed record ExecRequest
{
    /// <summary>Shell text, or the program in argv mode.</summary>
    public string? Command { get; init; }

    /// <summary>Appended to the command; in shell mode each one quoted.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary><c>shell</c> (default) or <c>argv</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>Variables of the command, beside those of the sandbox.</summary>
    public Dictionary<string, string>? Env { get; init; }

    /// <summary>Default <c>/workspace</c>.</summary>
    public string? Workdir { get; init; }

    /// <summary>Duration after which the command and all its children are killed; default <c>defaults.default_exec_timeout</c>, bounded by <c>defaults.max_exec_timeout</c>.</summary>
    public string? Timeout { get; init; }

    /// <summary>Answer with NDJSON as the output comes.</summary>
    public bool? Stream { get; init; }

    /// <summary>Answer at once with a <see cref="ProcessInfo"/>; the command runs on and can be attached to (an addition to the original).</summary>
    public bool? Background { get; init; }

    /// <summary>Text fed to the command's stdin, then end of file (an addition to the original).</summary>
    public string? Stdin { get; init; }
}

/// <summary>Answer of a whole exec.</summary>
public sealed record ExecResult
{
    /// <summary>128 + signal when a signal ended it.</summary>
    public required int ExitCode { get; init; }

    /// <summary>What it wrote there; bytes that are not UTF-8 become U+FFFD.</summary>
    public required string Stdout { get; init; }

    /// <summary>What it wrote there; bytes that are not UTF-8 become U+FFFD.</summary>
    public required string Stderr { get; init; }

    /// <summary>Measured by the server.</summary>
    public required string Duration { get; init; }

    /// <summary>True when output beyond the server's bound was dropped from <see cref="Stdout"/> or <see cref="Stderr"/>; absent otherwise.</summary>
    public bool? Truncated { get; init; }
}

/// <summary>One line of an NDJSON stream. The last one has empty data and <see cref="ExitCode"/>.</summary>
public sealed record StreamChunk
{
    /// <summary><c>stdout</c> or <c>stderr</c>.</summary>
    public required string Stream { get; init; }

    /// <summary>A piece of the output, not aligned to lines; characters are whole.</summary>
    public required string Data { get; init; }

    /// <summary>Only on the last line.</summary>
    public int? ExitCode { get; init; }

    /// <summary>Only on the last line.</summary>
    public string? Duration { get; init; }

    /// <summary>Only on the last line, when the command did not end by itself: a code of the problem table.</summary>
    public string? Code { get; init; }

    /// <summary>Bytes of output since the start up to and including this chunk; where to attach again. Only on attached streams.</summary>
    public long? Offset { get; init; }
}

/// <summary>A process that was started in the background, or any that the agent still knows.</summary>
public sealed record ProcessInfo
{
    /// <summary>Number within the sandbox, for attach, signal and kill.</summary>
    public required long ProcessId { get; init; }

    /// <summary>Process id inside the sandbox.</summary>
    public required long Pid { get; init; }

    /// <summary>What was started.</summary>
    public required string Command { get; init; }

    /// <summary>False once it has ended.</summary>
    public required bool Running { get; init; }

    /// <summary>Absent while it runs.</summary>
    public int? ExitCode { get; init; }

    /// <summary>When it was started.</summary>
    public DateTime? StartedAt { get; init; }

    /// <summary>Bytes of output since the start.</summary>
    public long? OutputBytes { get; init; }
}

/// <summary>Body of <c>POST /sandboxes/{id}/processes/{process}/signal</c>.</summary>
public sealed record SignalRequest
{
    /// <summary><c>SIGINT</c>, <c>INT</c> or a number.</summary>
    public string? Signal { get; init; }
}
