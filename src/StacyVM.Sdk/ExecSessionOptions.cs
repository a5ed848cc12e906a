using StacyVM.Protocol;
using StacyVM.Protocol.Rest;

namespace StacyVM.Sdk;

/// <summary>How to run an interactive command.</summary>
public sealed record ExecSessionOptions
{
    internal static readonly ExecSessionOptions Pipes = new();

    public IReadOnlyList<string>? Args { get; init; }

    public ExecMode Mode { get; init; }

    /// <summary>Added to the sandbox's environment.</summary>
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>Default <c>/workspace</c>.</summary>
    public string? Workdir { get; init; }

    /// <summary>After so long the command is killed with all its children. Null: the server's default.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Run on a terminal, of <see cref="Columns"/> × <see cref="Rows"/>; all output is then stdout.</summary>
    public bool Terminal { get; init; }

    /// <summary>Default 80.</summary>
    public int Columns { get; init; } = 80;

    /// <summary>Default 24.</summary>
    public int Rows { get; init; } = 24;

    /// <summary>Keep the command running when the session is disposed or breaks. Default: it is killed with all its children.</summary>
    public bool Background { get; init; }

    internal ExecSocketMessage ToMessage(string command) => new()
    {
        Type = "start",
        Command = command,
        Args = Args,
        Mode = Mode == ExecMode.Argv ? "argv" : null,
        Env = Env is null ? null : new Dictionary<string, string>(Env),
        Workdir = Workdir,
        Timeout = Timeout is { } timeout ? GoDuration.Format(timeout) : null,
        Tty = Terminal ? true : null,
        Cols = Terminal ? Columns : null,
        Rows = Terminal ? Rows : null,
        Background = Background ? true : null,
        Binary = true,
    };
}
