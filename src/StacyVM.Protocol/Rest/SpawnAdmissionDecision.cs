namespace StacyVM.Protocol.Rest;

/// <summary>Whether a spawn would be let in now. It promises nothing: the place may be gone when the spawn comes.</summary>
public sealed record SpawnAdmissionDecision
{
    /// <summary>A spawn would be let in now.</summary>
    public required bool Allowed { get; init; }

    /// <summary>It would not be let in now, but it would wait for its turn.</summary>
    public required bool Queueable { get; init; }

    /// <summary>Why not; one of <see cref="AdmissionReasons"/>.</summary>
    public string? Reason { get; init; }

    /// <summary>Places taken on this server; 0 when it was denied before counting.</summary>
    public required int ActiveSandboxes { get; init; }

    /// <summary>Most sandboxes of this server at one time; 0: no limit.</summary>
    public required int MaxSandboxes { get; init; }

    /// <summary>Places taken by the owner; absent for none.</summary>
    public int? ActiveOwnerSandboxes { get; init; }

    /// <summary>The owner's limit; absent for none.</summary>
    public int? MaxOwnerSandboxes { get; init; }

    /// <summary>Longest lifetime, a duration; absent for no limit.</summary>
    public string? MaxTtl { get; init; }

    /// <summary>Where it would run. Only with <c>?include=placement</c>.</summary>
    public string? SelectedWorkerId { get; init; }

    /// <summary>Workers that could run it. Only with <c>?include=placement</c>.</summary>
    public int? EligibleWorkers { get; init; }

    /// <summary><c>no_eligible_worker</c>, <c>local_fallback</c> or <c>remote_worker_selected</c>. Only with <c>?include=placement</c>.</summary>
    public string? WorkerReason { get; init; }
}

/// <summary>The values of <see cref="SpawnAdmissionDecision.Reason"/>, in the order in which they are decided.</summary>
public static class AdmissionReasons
{
    public const string MaxTtl = "max_ttl";
    public const string WorkerUnavailable = "worker_unavailable";
    public const string RemoteWorkerRpcUnavailable = "remote_worker_rpc_unavailable";
    public const string MaxSandboxes = "max_sandboxes";
    public const string MaxSandboxesPerOwner = "max_sandboxes_per_owner";
}
