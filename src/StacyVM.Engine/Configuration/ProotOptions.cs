namespace StacyVM.Engine.Configuration;

/// <summary>A root in user space by <c>proot</c>: no boundary.</summary>
internal sealed record ProotOptions
{
    public bool Enabled { get; init; }

    /// <summary>Name or path of the program.</summary>
    public string ProotBinary { get; init; } = "proot";

    public int MaxSandboxes { get; init; } = 10;

    /// <summary>First of the host user ids that sandboxes run as when the server is root; other ids than those of bubblewrap.</summary>
    public uint UidBase { get; init; } = 2_000_100_000;

    /// <summary>How many ids from <see cref="UidBase"/> on.</summary>
    public uint UidCount { get; init; } = 65_536;
}
