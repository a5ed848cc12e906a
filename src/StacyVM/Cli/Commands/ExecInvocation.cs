using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

/// <summary>What <c>exec</c> was asked to run.</summary>
internal sealed record ExecInvocation(string[] Words, bool Shell)
{
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    public string? Workdir { get; init; }

    public TimeSpan? Timeout { get; init; }

    public bool Input { get; init; }

    public bool Terminal { get; init; }

    /// <summary>The program, or the text for the shell.</summary>
    public string Command => Shell ? string.Join(' ', Words) : Words[0];

    private string[]? Args => Shell || Words.Length == 1 ? null : Words[1..];

    private ExecMode Mode => Shell ? ExecMode.Shell : ExecMode.Argv;

    public ExecOptions ToOptions() => new() { Args = Args, Mode = Mode, Env = Env, Workdir = Workdir, Timeout = Timeout };

    public ExecSessionOptions ToSessionOptions((int Columns, int Rows) size) => new()
    {
        Args = Args,
        Mode = Mode,
        Env = Terminal ? WithTerminalName(Env) : Env,
        Workdir = Workdir,
        Timeout = Timeout,
        Terminal = Terminal,
        Columns = size.Columns,
        Rows = size.Rows,
    };

    // Programs draw for the terminal that the user really has.
    private static IReadOnlyDictionary<string, string>? WithTerminalName(IReadOnlyDictionary<string, string>? env)
    {
        string? name = Environment.GetEnvironmentVariable("TERM");
        if (string.IsNullOrEmpty(name) || env?.ContainsKey("TERM") == true)
            return env;
        return new Dictionary<string, string>(env ?? new Dictionary<string, string>()) { ["TERM"] = name };
    }
}
