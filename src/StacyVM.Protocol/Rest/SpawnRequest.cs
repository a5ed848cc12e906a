namespace StacyVM.Protocol.Rest;

/// <summary>Body of <c>POST /sandboxes</c>. Everything is optional.</summary>
public sealed record SpawnRequest
{
    /// <summary>Default <c>defaults.image</c>.</summary>
    public string? Image { get; init; }

    /// <summary>Default <c>providers.default</c>.</summary>
    public string? Provider { get; init; }

    /// <summary>MiB; 0 or absent: <c>defaults.memory_mb</c>. Bounds 16 to 1,048,576.</summary>
    public int? MemoryMb { get; init; }

    /// <summary>0 or absent: <c>defaults.vcpus</c>. Bounds 1 to 256.</summary>
    public int? Vcpus { get; init; }

    /// <summary>Duration until it is destroyed; default <c>defaults.ttl</c>, at most <c>defaults.max_ttl</c>.</summary>
    public string? Ttl { get; init; }

    /// <summary>
    /// Name of a template, whose values stand where this request has none. Its image stands also where <see cref="Image"/> is <c>alpine:latest</c>, which
    /// the SDKs always send.
    /// </summary>
    public string? Template { get; init; }

    /// <summary>
    /// Name of a checkpoint to start from instead of an image. Its provider and its image stand, its sizes where this request has none; a template cannot be
    /// given, too.
    /// </summary>
    public string? Checkpoint { get; init; }

    /// <summary>At most 128 bytes, no slash, backslash, white space or control character. <c>X-User-ID</c> replaces it.</summary>
    public string? OwnerId { get; init; }

    /// <summary>Ignored: the tenant is that of the caller.</summary>
    public string? TenantId { get; init; }

    /// <summary>At most 64 entries; names to 128 bytes, values to 4,096.</summary>
    public Dictionary<string, string>? Metadata { get; init; }
}

/// <summary>Body of <c>POST /sandboxes/{id}/extend</c>.</summary>
public sealed record ExtendRequest
{
    /// <summary>New life from now on.</summary>
    public string? Ttl { get; init; }
}
