namespace StacyVM.Cli.Bench;

/// <summary>What to measure, and how often.</summary>
internal sealed record BenchOptions
{
    /// <summary>Sandboxes made one after another for the latency of a create; commands are measured five times as often.</summary>
    public int Iterations { get; init; } = 100;

    /// <summary>Idle sandboxes at the same time, for the memory of one.</summary>
    public int Density { get; init; } = 50;

    /// <summary>Null: the server's default.</summary>
    public string? Provider { get; init; }

    /// <summary>Null: the server's default.</summary>
    public string? Image { get; init; }

    /// <summary>Null: docker's own default.</summary>
    public string? DockerHost { get; init; }

    public string DockerImage { get; init; } = "alpine:latest";

    /// <summary>What sandboxes run: on Docker the image that is compared with, unless another was named.</summary>
    public string? SandboxImage => Image ?? (Provider == "docker" ? DockerImage : null);

    /// <summary>How many at a time, for throughput.</summary>
    public IReadOnlyList<int> Concurrency { get; init; } = [1, 16, 64];
}
