namespace StacyVM.Protocol.Rest;

/// <summary>
/// A message of the WebSocket exec, in either direction and in both protocols. The first message decides: with <see cref="Type"/> the rich
/// protocol (<c>start</c>, <c>attach</c>, <c>stdin</c>, <c>eof</c>, <c>resize</c>, <c>signal</c> → <c>started</c>, <c>stdout</c>, <c>stderr</c>, <c>exit</c>, <c>error</c>), without
/// it the plain one of the original (<c>{stream, data}</c> … <c>{"type":"done"}</c>).
/// </summary>
public sealed record ExecSocketMessage
{
    /// <summary>What the message is; absent in the plain protocol, but for its last one.</summary>
    public string? Type { get; init; }

    /// <summary>In <c>start</c>, and in the first message of the plain protocol: shell text, or the program in argv mode.</summary>
    public string? Command { get; init; }

    /// <summary>Appended to the command; in shell mode each one quoted.</summary>
    public IReadOnlyList<string>? Args { get; init; }

    /// <summary><c>shell</c> (default) or <c>argv</c>.</summary>
    public string? Mode { get; init; }

    /// <summary>Variables of the command, beside those of the sandbox.</summary>
    public Dictionary<string, string>? Env { get; init; }

    /// <summary>Default <c>/workspace</c>.</summary>
    public string? Workdir { get; init; }

    /// <summary>Duration after which the command and all its children are killed.</summary>
    public string? Timeout { get; init; }

    /// <summary>Run on a terminal.</summary>
    public bool? Tty { get; init; }

    /// <summary>Width of the terminal in characters, in <c>start</c> and <c>resize</c>.</summary>
    public int? Cols { get; init; }

    /// <summary>Height of the terminal in lines, in <c>start</c> and <c>resize</c>.</summary>
    public int? Rows { get; init; }

    /// <summary>Name or number of a signal.</summary>
    public string? Signal { get; init; }

    /// <summary>Text of stdin, stdout or stderr.</summary>
    public string? Data { get; init; }

    /// <summary>Bytes of stdin, as base64, where text will not do. Output that is not UTF-8 comes so when the start asked for <see cref="Binary"/>.</summary>
    public string? DataBase64 { get; init; }

    /// <summary>In <c>start</c> and <c>attach</c>: send output as <see cref="DataBase64"/>.</summary>
    public bool? Binary { get; init; }

    /// <summary>In <c>attach</c> and <c>started</c>: number of the process.</summary>
    public long? ProcessId { get; init; }

    /// <summary>In <c>started</c>: process id inside the sandbox.</summary>
    public long? Pid { get; init; }

    /// <summary>In <c>attach</c>: replay from here; in <c>started</c>: where the replay begins.</summary>
    public long? Offset { get; init; }

    /// <summary>In <c>start</c>: keep it running when the socket closes.</summary>
    public bool? Background { get; init; }

    /// <summary>Plain protocol: <c>stdout</c> or <c>stderr</c>.</summary>
    public string? Stream { get; init; }

    /// <summary>In <c>exit</c> and <c>done</c>: 128 + signal when a signal ended it.</summary>
    public int? ExitCode { get; init; }

    /// <summary>In <c>exit</c>: measured by the server.</summary>
    public string? Duration { get; init; }

    /// <summary>A sentence, in <c>error</c> and in the plain protocol's failure.</summary>
    public string? Error { get; init; }

    /// <summary>Code of the problem table, with <see cref="Error"/>.</summary>
    public string? Code { get; init; }
}
