namespace StacyVM.Cli.Bench.Levels;

/// <summary>What one isolation level costs with one image; milliseconds are medians. What the level cannot do is null.</summary>
internal sealed record LevelRow
{
    public required string Provider { get; init; }

    /// <summary>Image that really ran.</summary>
    public required string Image { get; init; }

    /// <summary>The first spawn with this image to its first result: nothing is prepared yet.</summary>
    public required double FirstMs { get; init; }

    /// <summary>Each further spawn to its first result.</summary>
    public required double SpawnMs { get; init; }

    /// <summary>From a checkpoint of a running sandbox to the first result.</summary>
    public double? CheckpointMs { get; init; }

    /// <summary><c>files</c> or <c>memory</c>.</summary>
    public string? CheckpointContent { get; init; }

    /// <summary><c>true</c> in a sandbox that is there.</summary>
    public required double ExecMs { get; init; }

    /// <summary>All processes of an idle sandbox on the host, shared pages in proportion, MB.</summary>
    public double? MemoryMb { get; init; }
}

/// <summary>Every level that works on this machine, in one run.</summary>
internal sealed record LevelsReport
{
    public required string Version { get; init; }

    public required MachineDescription Machine { get; init; }

    public required IReadOnlyList<LevelRow> Levels { get; init; }

    /// <summary>The bare programs beside them.</summary>
    public required IReadOnlyList<Latency> Floors { get; init; }

    public required IReadOnlyList<Verdict> Verdicts { get; init; }

    /// <summary>What was not measured, and why.</summary>
    public required IReadOnlyList<string> Skipped { get; init; }
}
