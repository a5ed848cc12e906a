namespace StacyVM.Engine.Providers;

/// <summary>What a provider is asked to build. Values are validated and defaults applied.</summary>
internal sealed record SandboxSpec
{
    /// <summary>As the caller wrote it.</summary>
    public required string Image { get; init; }

    /// <summary>
    /// True when <see cref="Image"/> is the server's or the SDKs' default and not a wish of the caller's: a provider that does not have it
    /// and has <c>host</c> runs <c>host</c> instead, and says so in <see cref="ISandbox.Image"/>.
    /// </summary>
    public bool ImageIsDefault { get; init; }

    public required int MemoryMb { get; init; }

    public required int Vcpus { get; init; }

    /// <summary>Bound of what the sandbox may write to disk, MiB; enforced where the level can.</summary>
    public required int DiskMb { get; init; }

    /// <summary>Bound of processes and threads.</summary>
    public int PidsLimit { get; init; } = 256;

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// What a provider needs to find a sandbox again: small, versioned, stored with the record. The provider alone reads <see cref="State"/>.
/// </summary>
/// <param name="Version">Of the format of <see cref="State"/>; a provider reads its older ones.</param>
/// <param name="State">Opaque text, JSON by custom.</param>
internal sealed record SandboxHandle(int Version, string State);

/// <summary>What a provider found at its level.</summary>
/// <param name="Id">Sandbox id.</param>
/// <param name="Running">False for leftovers: dead, or half built.</param>
/// <param name="Handle">Enough to recover it, when it runs and that is known.</param>
/// <param name="Image">When known.</param>
/// <param name="CreatedAt">When known, UTC.</param>
internal sealed record ListedRuntime(string Id, bool Running, SandboxHandle? Handle = null, string? Image = null, DateTime? CreatedAt = null);

/// <summary>Outcome of a probe.</summary>
/// <param name="Healthy">Sandboxes can be made now.</param>
/// <param name="Error">Otherwise: what is missing and how to get it.</param>
/// <param name="Enforced">What is enforced on this host, by name: <c>namespaces</c>, <c>seccomp</c>, <c>user</c>, <c>memory</c>, <c>cpu</c>, <c>pids</c>, <c>disk</c>, <c>network</c> → a sentence.</param>
/// <param name="Images">Images ready to spawn; null when the level does not say.</param>
internal sealed record ProviderHealth(
    bool Healthy,
    string? Error = null,
    IReadOnlyDictionary<string, string>? Enforced = null,
    IReadOnlyList<string>? Images = null)
{
    /// <summary>Names in <see cref="Enforced"/> whose sentence says that it does not hold here, or not wholly.</summary>
    public IReadOnlyCollection<string> Gaps { get; init; } = [];

    /// <summary>What was done to find out that it works, where that was less than making a sandbox.</summary>
    public string? Proof { get; init; }

    /// <summary>False for a level that works here but is no good choice for those who name none.</summary>
    public bool Automatic { get; init; } = true;
}
