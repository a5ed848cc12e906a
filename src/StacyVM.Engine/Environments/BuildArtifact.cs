using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Environments;

/// <summary>The image of a build at one target.</summary>
internal sealed record BuildArtifact
{
    public const string Pending = "pending";
    public const string Ready = "ready";
    public const string Failed = "failed";

    public required string Target { get; init; }

    public required string ImageRef { get; init; }

    /// <summary>Empty before it is ready.</summary>
    public string Digest { get; init; } = "";

    public string Status { get; init; } = Pending;

    /// <summary>Empty for none.</summary>
    public string Error { get; init; } = "";

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>As clients see it.</summary>
    public EnvironmentArtifactInfo ToInfo() => new()
    {
        Target = Target,
        ImageRef = ImageRef,
        Digest = Digest.Length == 0 ? null : Digest,
        Status = Status,
        Error = Error.Length == 0 ? null : Error,
        CreatedAt = CreatedAt,
        UpdatedAt = UpdatedAt,
    };
}
