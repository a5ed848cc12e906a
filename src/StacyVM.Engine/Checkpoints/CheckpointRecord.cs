using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Checkpoints;

/// <summary>What is known of a checkpoint, durably. Immutable: a change is a new record.</summary>
internal sealed record CheckpointRecord
{
    public required string Id { get; init; }

    /// <summary>Empty for one that only carries a fork over; nobody sees it, and a restart removes it.</summary>
    public required string Name { get; init; }

    /// <summary>One of <see cref="CheckpointStates"/>.</summary>
    public required string State { get; init; }

    public required string Provider { get; init; }

    /// <summary><c>files</c> or <c>memory</c>.</summary>
    public required string Content { get; init; }

    public required string Image { get; init; }

    public required int MemoryMb { get; init; }

    public required int Vcpus { get; init; }

    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Empty for none.</summary>
    public string OwnerId { get; init; } = "";

    /// <summary>Empty for none.</summary>
    public string TenantId { get; init; } = "";

    /// <summary>What was saved.</summary>
    public required string ParentSandbox { get; init; }

    /// <summary>Name of the checkpoint that the sandbox had begun with; empty for none.</summary>
    public string ParentCheckpoint { get; init; } = "";

    /// <summary>What every command of the sandbox got, and gets in those that begin with it.</summary>
    public SandboxEnvironment? Environment { get; init; }

    public long Bytes { get; init; }

    /// <summary>Empty when there is nothing to say.</summary>
    public string Reason { get; init; } = "";

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>As clients see it.</summary>
    public CheckpointInfo ToInfo() => new()
    {
        Id = Id,
        Name = Name,
        State = State,
        Provider = Provider,
        Content = Content,
        Image = Image,
        MemoryMb = MemoryMb,
        Vcpus = Vcpus,
        SizeBytes = Bytes,
        OwnerId = OwnerId.Length == 0 ? null : OwnerId,
        TenantId = TenantId.Length == 0 ? null : TenantId,
        SandboxId = ParentSandbox,
        ParentCheckpoint = ParentCheckpoint.Length == 0 ? null : ParentCheckpoint,
        Metadata = Metadata.Count == 0 ? null : Metadata,
        CreatedAt = CreatedAt,
        Reason = Reason.Length == 0 ? null : Reason,
    };
}
