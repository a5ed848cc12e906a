namespace StacyVM.Protocol.Rest;

/// <summary>A sandbox on the wire.</summary>
public sealed record SandboxInfo
{
    /// <summary>Its id; see <see cref="SandboxId"/>.</summary>
    public required string Id { get; init; }

    /// <summary>One of <see cref="SandboxStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Name of the provider that runs it.</summary>
    public required string Provider { get; init; }

    /// <summary>The image that really runs: <c>host</c> when the provider has it and the default image is not there.</summary>
    public required string Image { get; init; }

    /// <summary>Memory limit in MiB.</summary>
    public required int MemoryMb { get; init; }

    /// <summary>Processors.</summary>
    public required int Vcpus { get; init; }

    /// <summary>Who it belongs to.</summary>
    public string? OwnerId { get; init; }

    /// <summary>The tenant it belongs to.</summary>
    public string? TenantId { get; init; }

    /// <summary>Runtime id, in pool mode and on remote workers.</summary>
    public string? VmId { get; init; }

    /// <summary>The worker that hosts it; <c>local</c> for the server itself.</summary>
    public string? WorkerId { get; init; }

    /// <summary>When it was spawned.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When it is destroyed unless extended.</summary>
    public required DateTime ExpiresAt { get; init; }

    /// <summary>What the caller noted on it.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>Domain of preview URLs, with the port when it is not 80: <c>http://&lt;port&gt;-&lt;id&gt;.&lt;preview_domain&gt;</c>.</summary>
    public string? PreviewDomain { get; init; }

    /// <summary>Name of the checkpoint from which it was started.</summary>
    public string? Checkpoint { get; init; }

    /// <summary>The sandbox whose saved state it was started from: by a fork, or by a checkpoint. It need not exist any more.</summary>
    public string? ParentSandbox { get; init; }

    /// <summary>Why the state is what it is, when something went wrong (an addition to the original's object).</summary>
    public string? Reason { get; init; }
}

/// <summary>The values of <see cref="SandboxInfo.State"/>.</summary>
public static class SandboxStates
{
    public const string Creating = "creating";
    public const string Running = "running";
    public const string Unhealthy = "unhealthy";
    public const string Stopped = "stopped";

    /// <summary>It stands still until it is resumed; its time runs on.</summary>
    public const string Paused = "paused";

    public const string Error = "error";

    /// <summary>A destroy is under way, or has failed and is retried.</summary>
    public const string Destroying = "destroying";

    /// <summary>Gone: not listed any more.</summary>
    public const string Destroyed = "destroyed";
}
