namespace StacyVM.Cli.Bench;

/// <summary>How full the database is, and how often it is measured.</summary>
internal sealed record StoreBenchOptions
{
    /// <summary>Old rows of each kind.</summary>
    public int Rows { get; init; } = 100_000;

    /// <summary>Turns that the two servers of a comparison take.</summary>
    public int Rounds { get; init; } = 40;

    /// <summary>Null: the server's default.</summary>
    public string? Provider { get; init; }
}
