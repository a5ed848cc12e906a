namespace StacyVM.Engine.Configuration;

/// <summary>Namespaces, seccomp and control groups through <c>bwrap</c>.</summary>
internal sealed record BubblewrapOptions
{
    public bool Enabled { get; init; } = true;

    /// <summary>Name or path of the program.</summary>
    public string BwrapPath { get; init; } = "bwrap";

    public int PidsLimit { get; init; } = 256;

    /// <summary>First of the host user ids that sandboxes run as when the server is root; each sandbox has its own.</summary>
    public uint UidBase { get; init; } = 2_000_000_000;

    /// <summary>How many ids from <see cref="UidBase"/> on.</summary>
    public uint UidCount { get; init; } = 65_536;
}
