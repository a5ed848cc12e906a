namespace StacyVM.Protocol.Rest;

/// <summary>The error envelope.</summary>
public sealed record ErrorBody
{
    /// <summary>A code of the problem table.</summary>
    public required string Code { get; init; }

    /// <summary>What happened, to which id, and what to do.</summary>
    public required string Message { get; init; }
}

/// <summary>Answer of the calls that return nothing else: <c>destroyed</c>, <c>written</c>, <c>deleted</c>, <c>moved</c>, <c>chmod applied</c>.</summary>
public sealed record StatusBody
{
    public required string Status { get; init; }
}

/// <summary>Answer of prune.</summary>
public sealed record PruneResult
{
    public required int Pruned { get; init; }
}

/// <summary>Answer of <c>/health</c> and <c>/live</c>; without a key, where one is needed, only <see cref="Status"/>.</summary>
public sealed record HealthInfo
{
    public required string Status { get; init; }

    public string? Version { get; init; }

    /// <summary>Duration text.</summary>
    public string? Uptime { get; init; }
}

/// <summary>Answer of <c>/ready</c>.</summary>
public sealed record ReadyInfo
{
    /// <summary><c>ready</c> or <c>not_ready</c>.</summary>
    public required string Status { get; init; }

    public string? Version { get; init; }

    public string? Uptime { get; init; }

    public IReadOnlyList<ProviderInfo>? Providers { get; init; }

    public int? ReadyProviders { get; init; }

    public int? TotalProviders { get; init; }
}

/// <summary>A provider and its health.</summary>
public sealed record ProviderInfo
{
    public required string Name { get; init; }

    public required bool Healthy { get; init; }

    public required bool Default { get; init; }

    public required long LatencyMs { get; init; }

    public required DateTime LastChecked { get; init; }

    public string? Error { get; init; }

    public required IReadOnlyList<string> Capabilities { get; init; }

    /// <summary>Runtimes that the provider lists as ours.</summary>
    public int? RuntimeCount { get; init; }

    /// <summary>What is enforced on this host, by name: <c>namespaces</c>, <c>seccomp</c>, <c>memory</c>, <c>cpu</c>, <c>pids</c>, <c>disk</c>, <c>user</c> → a sentence (an addition to the original).</summary>
    public IReadOnlyDictionary<string, string>? Enforced { get; init; }

    /// <summary>Images that can be spawned without a pull (an addition to the original).</summary>
    public IReadOnlyList<string>? Images { get; init; }
}

/// <summary>Answer of <c>GET /providers/{name}</c>.</summary>
public sealed record ProviderDetail
{
    public required string Name { get; init; }

    public required bool Healthy { get; init; }

    public required bool Default { get; init; }

    public required int SandboxCount { get; init; }

    public required ProviderInfo Health { get; init; }

    public required IReadOnlyDictionary<string, string> Config { get; init; }
}

/// <summary>Answer of <c>GET /sandboxes/{id}/stats</c>.</summary>
public sealed record SandboxStats
{
    public required bool Supported { get; init; }

    /// <summary>Percent of one processor; may exceed 100.</summary>
    public double? CpuPct { get; init; }

    public long? MemBytes { get; init; }

    public long? MemLimitBytes { get; init; }

    public int? Processes { get; init; }

    public long? DiskBytes { get; init; }
}

/// <summary>An event of <c>GET /events</c>.</summary>
public sealed record EventMessage
{
    /// <summary><c>evt-</c> and a counter.</summary>
    public required string Id { get; init; }

    public required string Type { get; init; }

    public string? SandboxId { get; init; }

    public required DateTime Timestamp { get; init; }

    public IReadOnlyDictionary<string, string>? Data { get; init; }
}

/// <summary>A port on which a sandbox listens, with its preview (an addition to the original).</summary>
public sealed record PortInfo
{
    public required int Port { get; init; }

    public required string PreviewUrl { get; init; }
}

/// <summary>A one-time ticket for clients that cannot set headers (an addition to the original).</summary>
public sealed record TicketInfo
{
    /// <summary>Goes into the query parameter <c>ticket</c> of a WebSocket or event stream.</summary>
    public required string Ticket { get; init; }

    public required DateTime ExpiresAt { get; init; }
}
