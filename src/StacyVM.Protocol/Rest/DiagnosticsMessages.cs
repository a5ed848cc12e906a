namespace StacyVM.Protocol.Rest;

/// <summary>Answer of <c>GET /diagnostics</c>. From memory alone: asking for it probes no level and reads no table.</summary>
public sealed record DiagnosticsInfo
{
    /// <summary>UTC, whole seconds.</summary>
    public required DateTime GeneratedAt { get; init; }

    /// <summary>What the server was built from and for.</summary>
    public required BuildInfo Build { get; init; }

    /// <summary>The server's own process.</summary>
    public required ProcessStats Process { get; init; }

    /// <summary>The store, by its last transaction.</summary>
    public required StoreInfo Store { get; init; }

    /// <summary>What a sandbox and a command may have at most.</summary>
    public required LimitsInfo Limits { get; init; }

    /// <summary>Spawns that wait for a place.</summary>
    public required SchedulerInfo Scheduler { get; init; }

    /// <summary>Owners with a quota of their own.</summary>
    public required QuotaSummary Quotas { get; init; }

    /// <summary>The limit on requests.</summary>
    public required RateLimitInfo RateLimit { get; init; }

    /// <summary>The isolation levels, as the last background check found them; by name.</summary>
    public required IReadOnlyList<ProviderInfo> Providers { get; init; }

    /// <summary>The workers.</summary>
    public required WorkerCounts Workers { get; init; }

    /// <summary>Leases of sandboxes by workers.</summary>
    public required LeaseCounts Leases { get; init; }

    /// <summary>Sandboxes that are not gone.</summary>
    public required SandboxCounts Sandboxes { get; init; }

    /// <summary>The event stream.</summary>
    public required EventCounts Events { get; init; }

    /// <summary>What was done since the start; by operation, then level. Empty when nothing was.</summary>
    public required IReadOnlyList<OperationInfo> Operations { get; init; }

    /// <summary>Area → document that says what to do.</summary>
    public required IReadOnlyDictionary<string, string> Remediation { get; init; }

    /// <summary>What is never part of this answer.</summary>
    public required IReadOnlyList<string> Redactions { get; init; }
}

/// <summary>Answer of <c>GET /metrics</c>. From memory alone: asking for it probes no level and reads no table.</summary>
public sealed record MetricsInfo
{
    /// <summary>Duration text.</summary>
    public required string Uptime { get; init; }

    /// <summary>Threads of the server process.</summary>
    public required int Goroutines { get; init; }

    /// <summary>Bytes of living managed objects.</summary>
    public required long MemoryAlloc { get; init; }

    /// <summary>Bytes that the process holds in memory.</summary>
    public required long MemorySys { get; init; }

    /// <summary>As <see cref="MemoryAlloc"/>.</summary>
    public required long MemoryHeapAlloc { get; init; }

    /// <summary>Garbage collections since the start.</summary>
    public required int GcCycles { get; init; }

    /// <summary>Sandboxes that are not gone.</summary>
    public required SandboxCounts Sandboxes { get; init; }

    /// <summary>The isolation levels, as the last background check found them.</summary>
    public required ProviderCounts Providers { get; init; }

    /// <summary>The workers.</summary>
    public required WorkerCounts Workers { get; init; }

    /// <summary>Leases of sandboxes by workers.</summary>
    public required LeaseCounts Leases { get; init; }

    /// <summary>The event stream.</summary>
    public required EventCounts Events { get; init; }

    /// <summary>What was done since the start; by operation, then level.</summary>
    public required IReadOnlyList<OperationInfo> Operations { get; init; }

    /// <summary>Spawns that wait for a place.</summary>
    public required SchedulerInfo Scheduler { get; init; }

    /// <summary>Owners with a quota of their own.</summary>
    public required QuotaSummary Quotas { get; init; }

    /// <summary>The limit on requests.</summary>
    public required RateLimitInfo RateLimit { get; init; }
}

/// <summary>What this server was built from and for.</summary>
public sealed record BuildInfo
{
    /// <summary>Version of the server.</summary>
    public required string Version { get; init; }

    /// <summary>Operating system, such as <c>linux</c>.</summary>
    public required string Goos { get; init; }

    /// <summary>Architecture, such as <c>x64</c>.</summary>
    public required string Goarch { get; init; }
}

/// <summary>The server's own process.</summary>
public sealed record ProcessStats
{
    /// <summary>Duration text.</summary>
    public required string Uptime { get; init; }

    /// <summary>Threads.</summary>
    public required int Goroutines { get; init; }

    /// <summary>Memory of the process.</summary>
    public required MemoryStats Memory { get; init; }
}

/// <summary>Memory of the server's process, in bytes.</summary>
public sealed record MemoryStats
{
    /// <summary>Living managed objects.</summary>
    public required long Alloc { get; init; }

    /// <summary>Held in memory by the process.</summary>
    public required long Sys { get; init; }

    /// <summary>As <see cref="Alloc"/>.</summary>
    public required long HeapAlloc { get; init; }

    /// <summary>Garbage collections since the start.</summary>
    public required int GcCycles { get; init; }
}

/// <summary>The store, by its last transaction.</summary>
public sealed record StoreInfo
{
    /// <summary>Whether the last transaction succeeded.</summary>
    public required bool Healthy { get; init; }

    /// <summary>How long the last transaction took.</summary>
    public required long LatencyMs { get; init; }

    /// <summary>Why the last one failed.</summary>
    public string? Error { get; init; }

    /// <summary>Log and audit rows that were dropped because writing did not keep up (an addition to the original).</summary>
    public long? DroppedRows { get; init; }
}

/// <summary>What a sandbox and a command may have at most. Durations as text; 0 and <c>0s</c> are no bound.</summary>
public sealed record LimitsInfo
{
    /// <summary>Sandboxes at one time.</summary>
    public required int MaxSandboxes { get; init; }

    /// <summary>Sandboxes of one owner at one time.</summary>
    public required int MaxSandboxesPerOwner { get; init; }

    /// <summary>Time limit of a command whose request names none.</summary>
    public required string DefaultExecTimeout { get; init; }

    /// <summary>Longest time limit that a request may ask for.</summary>
    public required string MaxExecTimeout { get; init; }

    /// <summary>Longest lifetime that a request may ask for.</summary>
    public required string MaxTtl { get; init; }

    /// <summary><c>reject</c> or <c>queue</c>.</summary>
    public required string SpawnOverflow { get; init; }

    /// <summary>Longest wait for a place.</summary>
    public required string SpawnQueueTimeout { get; init; }

    /// <summary>Spawns that may wait.</summary>
    public required int MaxSpawnQueue { get; init; }
}
