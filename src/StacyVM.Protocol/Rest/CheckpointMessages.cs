namespace StacyVM.Protocol.Rest;

/// <summary>What was saved of a sandbox.</summary>
public sealed record CheckpointInfo
{
    /// <summary>Its id.</summary>
    public required string Id { get; init; }

    /// <summary>Its name, unique among those of its owner.</summary>
    public required string Name { get; init; }

    /// <summary>One of <see cref="CheckpointStates"/>.</summary>
    public required string State { get; init; }

    /// <summary>Name of the provider that keeps it; only this one starts sandboxes from it.</summary>
    public required string Provider { get; init; }

    /// <summary><c>files</c>: processes start anew; <c>memory</c>: they go on where they were.</summary>
    public required string Content { get; init; }

    /// <summary>The image that the sandbox ran.</summary>
    public required string Image { get; init; }

    /// <summary>Memory limit of the sandbox in MiB, and of those started from it that ask for none.</summary>
    public required int MemoryMb { get; init; }

    /// <summary>Processors, likewise.</summary>
    public required int Vcpus { get; init; }

    /// <summary>Bytes that it takes on disk.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>Who it belongs to.</summary>
    public string? OwnerId { get; init; }

    /// <summary>The tenant it belongs to.</summary>
    public string? TenantId { get; init; }

    /// <summary>The sandbox that was saved; it need not exist any more.</summary>
    public required string SandboxId { get; init; }

    /// <summary>Name of the checkpoint from which that sandbox had been started.</summary>
    public string? ParentCheckpoint { get; init; }

    /// <summary>What was noted on the sandbox; sandboxes started from it have it, too.</summary>
    public IReadOnlyDictionary<string, string>? Metadata { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>Why the state is what it is, when something went wrong.</summary>
    public string? Reason { get; init; }
}

/// <summary>The values of <see cref="CheckpointInfo.State"/>.</summary>
public static class CheckpointStates
{
    public const string Creating = "creating";
    public const string Ready = "ready";

    /// <summary>A delete is under way, or has failed and is retried.</summary>
    public const string Deleting = "deleting";

    /// <summary>Its files are not there any more: it can only be deleted.</summary>
    public const string Missing = "missing";
}

/// <summary>Body of <c>POST /sandboxes/{id}/checkpoints</c>.</summary>
public sealed record CheckpointRequest
{
    /// <summary>Up to 63 letters, digits and <c>. _ -</c>, beginning with a letter or digit; unique among those of the sandbox's owner.</summary>
    public string? Name { get; init; }
}

/// <summary>Body of <c>POST /sandboxes/{id}/fork</c>. Everything is optional.</summary>
public sealed record ForkRequest
{
    /// <summary>How many; 1 to 100, default 1.</summary>
    public int? Count { get; init; }

    /// <summary>Life of each; default <c>defaults.ttl</c>.</summary>
    public string? Ttl { get; init; }

    /// <summary>Noted on each, over what is noted on the sandbox.</summary>
    public Dictionary<string, string>? Metadata { get; init; }
}

/// <summary>Answer of <c>POST /sandboxes/{id}/fork</c>.</summary>
public sealed record ForkResult
{
    /// <summary>Those that came. Nothing stays of the others.</summary>
    public required IReadOnlyList<SandboxInfo> Sandboxes { get; init; }

    /// <summary>Why the others did not come; absent when all did.</summary>
    public IReadOnlyList<ForkFailure>? Failures { get; init; }
}

/// <summary>Why a sandbox of a fork did not come.</summary>
public sealed record ForkFailure
{
    /// <summary>A code of the problem table.</summary>
    public required string Code { get; init; }

    /// <summary>A sentence.</summary>
    public required string Message { get; init; }
}
