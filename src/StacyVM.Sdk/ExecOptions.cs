using StacyVM.Protocol;
using StacyVM.Protocol.Rest;

namespace StacyVM.Sdk;

/// <summary>How to run a command.</summary>
public sealed record ExecOptions
{
    internal static readonly ExecOptions Default = new();

    public IReadOnlyList<string>? Args { get; init; }

    public ExecMode Mode { get; init; }

    /// <summary>Added to the sandbox's environment.</summary>
    public IReadOnlyDictionary<string, string>? Env { get; init; }

    /// <summary>Default <c>/workspace</c>.</summary>
    public string? Workdir { get; init; }

    /// <summary>After so long the command is killed with all its children. Null: the server's default.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Text for its stdin. Null: stdin is empty.</summary>
    public string? Stdin { get; init; }

    internal ExecRequest ToRequest(string command) => new()
    {
        Command = command,
        Args = Args,
        Mode = Mode == ExecMode.Argv ? "argv" : null,
        Env = Env is null ? null : new Dictionary<string, string>(Env),
        Workdir = Workdir,
        Timeout = Timeout is { } timeout ? GoDuration.Format(timeout) : null,
        Stdin = Stdin,
    };
}
