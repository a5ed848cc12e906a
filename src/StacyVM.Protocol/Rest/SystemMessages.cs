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
    /// <summary>What has been done.</summary>
    public required string Status { get; init; }
}

/// <summary>Answer of prune.</summary>
public sealed record PruneResult
{
    /// <summary>How many sandboxes were destroyed.</summary>
    public required int Pruned { get; init; }
}

/// <summary>Answer of <c>/health</c> and <c>/live</c>; without a key, where one is needed, only <see cref="Status"/>.</summary>
public sealed record HealthInfo
{
    /// <summary><c>ok</c> for health, <c>alive</c> for liveness.</summary>
    public required string Status { get; init; }

    /// <summary>Version of the server.</summary>
    public string? Version { get; init; }

    /// <summary>Duration text.</summary>
    public string? Uptime { get; init; }
}

/// <summary>Answer of <c>/ready</c>.</summary>
public sealed record ReadyInfo
{
    /// <summary><c>ready</c> or <c>not_ready</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Version of the server.</summary>
    public string? Version { get; init; }

    /// <summary>Duration since the server started.</summary>
    public string? Uptime { get; init; }

    /// <summary>All providers, ordered by name.</summary>
    public IReadOnlyList<ProviderInfo>? Providers { get; init; }

    /// <summary>How many of them are healthy.</summary>
    public int? ReadyProviders { get; init; }

    /// <summary>How many there are.</summary>
    public int? TotalProviders { get; init; }
}

/// <summary>A provider and its health.</summary>
public sealed record ProviderInfo
{
    /// <summary>Its name, as in the configuration and in spawn requests.</summary>
    public required string Name { get; init; }

    /// <summary>Whether sandboxes can be spawned on it.</summary>
    public required bool Healthy { get; init; }

    /// <summary>Whether it is taken when a spawn request names none.</summary>
    public required bool Default { get; init; }

    /// <summary>How long the last probe took, in milliseconds.</summary>
    public required long LatencyMs { get; init; }

    /// <summary>When it was last probed, to the second.</summary>
    public required DateTime LastChecked { get; init; }

    /// <summary>Why it is not healthy.</summary>
    public string? Error { get; init; }

    /// <summary>What it can do: <c>spawn</c>, <c>exec</c>, <c>exec_stream</c>, <c>files</c>, <c>console</c>, <c>health</c> and more, by provider.</summary>
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
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Whether sandboxes can be spawned on it.</summary>
    public required bool Healthy { get; init; }

    /// <summary>Whether it is taken when a spawn request names none.</summary>
    public required bool Default { get; init; }

    /// <summary>Sandboxes on it that the caller sees.</summary>
    public required int SandboxCount { get; init; }

    /// <summary>Its health, as in the list.</summary>
    public required ProviderInfo Health { get; init; }

    /// <summary>Its <c>type</c> and what matters of its configuration; never a secret.</summary>
    public required IReadOnlyDictionary<string, string> Config { get; init; }
}

/// <summary>Answer of <c>GET /sandboxes/{id}/stats</c>.</summary>
public sealed record SandboxStats
{
    /// <summary>False when the provider has no numbers; then nothing else is there.</summary>
    public required bool Supported { get; init; }

    /// <summary>Percent of one processor; may exceed 100.</summary>
    public double? CpuPct { get; init; }

    /// <summary>Memory in use, in bytes.</summary>
    public long? MemBytes { get; init; }

    /// <summary>Its limit, in bytes.</summary>
    public long? MemLimitBytes { get; init; }

    /// <summary>Processes in the sandbox.</summary>
    public int? Processes { get; init; }

    /// <summary>Bytes on its disk, where they are counted.</summary>
    public long? DiskBytes { get; init; }
}

/// <summary>An event of <c>GET /events</c>.</summary>
public sealed record EventMessage
{
    /// <summary><c>evt-</c> and a counter.</summary>
    public required string Id { get; init; }

    /// <summary><c>sandbox.created</c>, <c>exec.completed</c> and the like.</summary>
    public required string Type { get; init; }

    /// <summary>The sandbox it is about.</summary>
    public string? SandboxId { get; init; }

    /// <summary>When it happened.</summary>
    public required DateTime Timestamp { get; init; }

    /// <summary>More about it, by type.</summary>
    public IReadOnlyDictionary<string, string>? Data { get; init; }
}

/// <summary>A port on which a sandbox listens, with its preview (an addition to the original).</summary>
public sealed record PortInfo
{
    /// <summary>Number of the TCP port.</summary>
    public required int Port { get; init; }

    /// <summary>Where it can be seen from outside.</summary>
    public required string PreviewUrl { get; init; }
}

/// <summary>A one-time ticket for clients that cannot set headers (an addition to the original).</summary>
public sealed record TicketInfo
{
    /// <summary>Goes into the query parameter <c>ticket</c> of a WebSocket or event stream.</summary>
    public required string Ticket { get; init; }

    /// <summary>When it ends unused.</summary>
    public required DateTime ExpiresAt { get; init; }
}
