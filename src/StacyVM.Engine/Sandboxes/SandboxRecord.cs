using StacyVM.Engine.Providers;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>What is known of a sandbox, durably. Immutable: a change is a new record.</summary>
internal sealed record SandboxRecord
{
    public required string Id { get; init; }

    /// <summary>One of <see cref="SandboxStates"/>.</summary>
    public required string State { get; init; }

    public required string Provider { get; init; }

    public required string Image { get; init; }

    public required int MemoryMb { get; init; }

    public required int Vcpus { get; init; }

    public required int DiskMb { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Empty for none.</summary>
    public string OwnerId { get; init; } = "";

    /// <summary>Empty for none.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime ExpiresAt { get; init; }

    /// <summary>UTC; of the last change of state or expiry.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>Known from the moment it first ran.</summary>
    public SandboxHandle? Handle { get; init; }

    /// <summary>What every command gets; null for nothing. Clients never see it.</summary>
    public SandboxEnvironment? Environment { get; init; }

    /// <summary>The sandbox whose saved state this one began with; empty for none.</summary>
    public string ParentSandbox { get; init; } = "";

    /// <summary>Name of the checkpoint that this one began with; empty for none.</summary>
    public string ParentCheckpoint { get; init; } = "";

    /// <summary>Why the state is what it is; empty when there is nothing to say.</summary>
    public string Reason { get; init; } = "";

    /// <summary>As clients see it.</summary>
    public SandboxInfo ToInfo(string previewDomain) => new()
    {
        Id = Id,
        State = State,
        Provider = Provider,
        Image = Image,
        MemoryMb = MemoryMb,
        Vcpus = Vcpus,
        OwnerId = OwnerId.Length == 0 ? null : OwnerId,
        TenantId = TenantId.Length == 0 ? null : TenantId,
        WorkerId = "local",
        CreatedAt = CreatedAt,
        ExpiresAt = ExpiresAt,
        Metadata = Metadata.Count == 0 ? null : Metadata,
        PreviewDomain = previewDomain.Length == 0 ? null : previewDomain,
        ParentSandbox = ParentSandbox.Length == 0 ? null : ParentSandbox,
        Checkpoint = ParentCheckpoint.Length == 0 ? null : ParentCheckpoint,
        Reason = Reason.Length == 0 ? null : Reason,
    };
}
