namespace StacyVM.Engine.Configuration;

/// <summary>What a sandbox gets when a request says nothing, and the most that it may ask for.</summary>
internal sealed record DefaultsOptions
{
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
}
