namespace StacyVM.Cli.Bench;

/// <summary>Everything that one run found.</summary>
internal sealed record BenchReport
{
    public required string Version { get; init; }

    public required MachineDescription Machine { get; init; }

    /// <summary>Isolation level that was measured.</summary>
    public required string Provider { get; init; }

    /// <summary>Image that really ran.</summary>
    public required string Image { get; init; }

    public required IReadOnlyList<Latency> Latencies { get; init; }

    public required IReadOnlyList<Rate> Rates { get; init; }

    public required IReadOnlyList<Quantity> Quantities { get; init; }

    public required IReadOnlyList<Verdict> Verdicts { get; init; }

    /// <summary>What was not measured, and why.</summary>
    public required IReadOnlyList<string> Skipped { get; init; }
}

/// <summary>A distribution of times, in milliseconds.</summary>
internal sealed record Latency(string Name, int Count, double P50, double P95, double P99);

/// <summary>So many a second.</summary>
internal sealed record Rate(string Name, int Concurrency, double PerSecond);

/// <summary>One number.</summary>
internal sealed record Quantity(string Name, double Value, string Unit);

/// <summary>A promise beside what was found.</summary>
internal sealed record Verdict(string Name, double Value, string Target, bool Passed);
