namespace StacyVM.Cli.Bench;

/// <summary>How much load, and for how long.</summary>
internal sealed record LoadOptions
{
    public int Clients { get; init; } = 64;

    public TimeSpan Duration { get; init; } = TimeSpan.FromSeconds(120);

    /// <summary>Null: the server's default.</summary>
    public string? Provider { get; init; }
}
