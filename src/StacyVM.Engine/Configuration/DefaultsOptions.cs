namespace StacyVM.Engine.Configuration;

/// <summary>What a sandbox gets when a request says nothing, and the most that it may ask for.</summary>
internal sealed record DefaultsOptions
{
    /// <summary>The value of <see cref="SpawnOverflow"/> that turns the spawn queue on.</summary>
    public const string Queue = "queue";

    public TimeSpan Ttl { get; init; } = TimeSpan.FromMinutes(30);

    public string Image { get; init; } = "alpine:latest";

    public int MemoryMb { get; init; } = 1024;

    public int Vcpus { get; init; } = 1;

    public int DiskSizeMb { get; init; } = 1024;

    /// <summary>Zero: none.</summary>
    public TimeSpan MaxTtl { get; init; } = TimeSpan.FromHours(24);

    /// <summary>Zero: the maximum applies.</summary>
    public TimeSpan DefaultExecTimeout { get; init; }

    /// <summary>Zero: none.</summary>
    public TimeSpan MaxExecTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Zero: unlimited.</summary>
    public int MaxSandboxes { get; init; }

    /// <summary>Zero: unlimited.</summary>
    public int MaxSandboxesPerOwner { get; init; }

    /// <summary>Of one owner; zero: unlimited.</summary>
    public int MaxCheckpoints { get; init; } = 100;

    /// <summary><c>reject</c>, or <see cref="Queue"/>.</summary>
    public string SpawnOverflow { get; init; } = "reject";

    /// <summary>Zero: as long as the client waits.</summary>
    public TimeSpan SpawnQueueTimeout { get; init; } = TimeSpan.FromSeconds(30);

    public int MaxSpawnQueue { get; init; } = 100;
}
