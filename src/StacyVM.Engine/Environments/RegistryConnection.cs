using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Environments;

/// <summary>An account at a registry. Its secret is sealed for <c>registry/&lt;id&gt;</c>.</summary>
internal sealed record RegistryConnection
{
    public required string Id { get; init; }

    public required string OwnerId { get; init; }

    public required string Provider { get; init; }

    public required string Username { get; init; }

    public required string SealedSecret { get; init; }

    public required bool IsDefault { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>As clients see it.</summary>
    public RegistryConnectionInfo ToInfo() => new()
    {
        Id = Id,
        OwnerId = OwnerId,
        Provider = Provider,
        Username = Username,
        IsDefault = IsDefault,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };
}
