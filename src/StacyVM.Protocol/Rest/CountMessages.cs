namespace StacyVM.Protocol.Rest;

/// <summary>Spawns that wait for a place, and where sandboxes go.</summary>
public sealed record SchedulerInfo
{
    /// <summary><c>reject</c> or <c>queue</c>.</summary>
    public required string SpawnOverflow { get; init; }

    /// <summary>Spawns that wait now.</summary>
    public required int SpawnQueueDepth { get; init; }

    /// <summary>Spawns that may wait.</summary>
    public required int MaxSpawnQueue { get; init; }

    /// <summary>Duration text.</summary>
    public required string SpawnQueueTimeout { get; init; }

    /// <summary>How a place is found: <c>worker_aware_local</c>.</summary>
    public required string AdmissionControl { get; init; }

    /// <summary>The worker that decides: <c>local</c>.</summary>
    public required string WorkerId { get; init; }

    /// <summary>Where the next sandbox goes; absent when nowhere.</summary>
    public string? SelectedWorkerId { get; init; }

    /// <summary>Workers that could take the next sandbox.</summary>
    public required int EligibleWorkers { get; init; }

    /// <summary>Spawns that had to wait, since the start.</summary>
    public required long SpawnQueuedTotal { get; init; }

    /// <summary>Spawns that got a place after waiting.</summary>
    public required long SpawnDequeuedTotal { get; init; }

    /// <summary>Spawns that waited in vain.</summary>
    public required long SpawnQueueTimeouts { get; init; }

    /// <summary>Waits that have ended.</summary>
    public required long SpawnQueueWaitCount { get; init; }

    /// <summary>Duration text.</summary>
    public required string SpawnQueueWaitTotal { get; init; }

    /// <summary>Duration text.</summary>
    public required string SpawnQueueWaitMax { get; init; }

    /// <summary>Duration text.</summary>
    public required string SpawnQueueWaitAvg { get; init; }

    /// <summary>All waits together, in milliseconds.</summary>
    public required long SpawnQueueWaitTotalMs { get; init; }

    /// <summary>Longest wait, in milliseconds.</summary>
    public required long SpawnQueueWaitMaxMs { get; init; }

    /// <summary>Average wait, in milliseconds.</summary>
    public required long SpawnQueueWaitAvgMs { get; init; }
}

/// <summary>The limit on requests, and what it did since the start.</summary>
public sealed record RateLimitInfo
{
    /// <summary>Whether requests are limited.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Steady rate of one caller.</summary>
    public required int RequestsPerMinute { get; init; }

    /// <summary>Requests at once.</summary>
    public required int Burst { get; init; }

    /// <summary><c>owner</c>, <c>api_key</c> or <c>ip</c>.</summary>
    public required string KeyBy { get; init; }

    /// <summary>Callers that are known now.</summary>
    public required int ActiveBuckets { get; init; }

    /// <summary>Requests let through.</summary>
    public required long AllowedTotal { get; init; }

    /// <summary>Requests refused.</summary>
    public required long LimitedTotal { get; init; }

    /// <summary>Callers forgotten.</summary>
    public required long EvictedTotal { get; init; }

    /// <summary>Duration text.</summary>
    public required string BucketTtl { get; init; }

    /// <summary>Duration text.</summary>
    public required string CleanupInterval { get; init; }
}

/// <summary>The isolation levels.</summary>
public sealed record ProviderCounts
{
    /// <summary>How many there are.</summary>
    public required int Total { get; init; }

    /// <summary>How many work.</summary>
    public required int Healthy { get; init; }

    /// <summary>Each of them, by name.</summary>
    public required IReadOnlyList<ProviderInfo> Items { get; init; }
}

/// <summary>The workers.</summary>
public sealed record WorkerCounts
{
    /// <summary>How many there are.</summary>
    public required int Total { get; init; }

    /// <summary>Those that work.</summary>
    public required int Online { get; init; }

    /// <summary>Those that have been silent for more than two minutes.</summary>
    public required int Stale { get; init; }

    /// <summary>Those that say so of themselves.</summary>
    public required int Unhealthy { get; init; }

    /// <summary>Each of them.</summary>
    public required IReadOnlyList<WorkerInfo> Items { get; init; }

    /// <summary>Why they could not be read.</summary>
    public string? Error { get; init; }
}

/// <summary>Leases of sandboxes by workers. A single node needs none.</summary>
public sealed record LeaseCounts
{
    /// <summary>How many there are.</summary>
    public required int Total { get; init; }

    /// <summary>Those that hold.</summary>
    public required int Active { get; init; }

    /// <summary>Those that have run out.</summary>
    public required int Expired { get; init; }

    /// <summary>Worker → leases.</summary>
    public required IReadOnlyDictionary<string, int> ByHolder { get; init; }

    /// <summary>Why they could not be read.</summary>
    public string? Error { get; init; }
}

/// <summary>Sandboxes that are not gone.</summary>
public sealed record SandboxCounts
{
    /// <summary>All of them.</summary>
    public required int Total { get; init; }

    /// <summary>Those that run.</summary>
    public required int Active { get; init; }

    /// <summary>State → sandboxes.</summary>
    public required IReadOnlyDictionary<string, int> ByState { get; init; }

    /// <summary>Isolation level → sandboxes.</summary>
    public required IReadOnlyDictionary<string, int> ByProvider { get; init; }

    /// <summary>Worker → sandboxes.</summary>
    public required IReadOnlyDictionary<string, int> ByWorker { get; init; }
}

/// <summary>The event stream.</summary>
public sealed record EventCounts
{
    /// <summary>Open streams.</summary>
    public required int Subscribers { get; init; }

    /// <summary>Events kept for replay.</summary>
    public required int HistorySize { get; init; }

    /// <summary>Since the start.</summary>
    public required long EventsTotal { get; init; }
}

/// <summary>One kind of operation at one isolation level, since the start.</summary>
public sealed record OperationInfo
{
    /// <summary>E.g. <c>spawn</c>, <c>exec</c>, <c>file_write</c>.</summary>
    public required string Operation { get; init; }

    /// <summary>Empty where the operation failed before its level was known.</summary>
    public required string Provider { get; init; }

    /// <summary>How often it succeeded.</summary>
    public required long SuccessTotal { get; init; }

    /// <summary>How often it failed.</summary>
    public required long FailureTotal { get; init; }

    /// <summary>How often it was timed.</summary>
    public required long LatencyCount { get; init; }

    /// <summary>All times together, in milliseconds.</summary>
    public required long LatencyTotalMs { get; init; }

    /// <summary>Shortest time, in milliseconds.</summary>
    public required long LatencyMinMs { get; init; }

    /// <summary>Longest time, in milliseconds.</summary>
    public required long LatencyMaxMs { get; init; }

    /// <summary>Average time, in milliseconds.</summary>
    public required long LatencyAvgMs { get; init; }

    /// <summary>What the last failure said; absent when there was none.</summary>
    public string? LastError { get; init; }

    /// <summary>Seconds since 1970.</summary>
    public long? LastObservedUnix { get; init; }
}
