using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Environments;

/// <summary>What an image is made of. It never changes.</summary>
internal sealed record EnvironmentSpec
{
    public required string Id { get; init; }

    public required string OwnerId { get; init; }

    public required string Name { get; init; }

    public required string BaseImage { get; init; }

    public required IReadOnlyList<string> PythonPackages { get; init; }

    public required IReadOnlyList<string> AptPackages { get; init; }

    /// <summary>Empty for any.</summary>
    public required string PythonVersion { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>As clients see it.</summary>
    public EnvironmentSpecInfo ToInfo() => new()
    {
        Id = Id,
        OwnerId = OwnerId,
        Name = Name,
        BaseImage = BaseImage,
        PythonPackages = PythonPackages,
        AptPackages = AptPackages,
        PythonVersion = PythonVersion.Length == 0 ? null : PythonVersion,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };
}
