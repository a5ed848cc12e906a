using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Environments;

/// <summary>One making of an image.</summary>
internal sealed record EnvironmentBuild
{
    public required string Id { get; init; }

    public required string SpecId { get; init; }

    public string Status { get; init; } = BuildStatus.Queued;

    public string CurrentStep { get; init; } = BuildStep.Queued;

    public string Log { get; init; } = "";

    public long ImageSizeBytes { get; init; }

    /// <summary>Empty before the image is there.</summary>
    public string DigestLocal { get; init; } = "";

    /// <summary>Empty for none.</summary>
    public string Error { get; init; } = "";

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public DateTime? FinishedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    public required IReadOnlyList<BuildArtifact> Artifacts { get; init; }

    /// <summary>The end of it: what was not ready then has failed with it.</summary>
    public EnvironmentBuild Finished(string status, string error, DateTime now) => this with
    {
        Status = status,
        Error = error,
        FinishedAt = now,
        UpdatedAt = now,
        Artifacts =
        [
            .. Artifacts.Select(artifact => artifact.Status == BuildArtifact.Pending
                ? artifact with { Status = BuildArtifact.Failed, Error = error.Length > 0 ? error : "the build was canceled", UpdatedAt = now }
                : artifact),
        ],
    };

    /// <summary>As clients see it.</summary>
    public EnvironmentBuildInfo ToInfo() => new()
    {
        Id = Id,
        SpecId = SpecId,
        Status = Status,
        CurrentStep = CurrentStep,
        Log = Log,
        ImageSizeBytes = ImageSizeBytes,
        DigestLocal = DigestLocal.Length == 0 ? null : DigestLocal,
        Error = Error.Length == 0 ? null : Error,
        CreatedAt = CreatedAt,
        FinishedAt = FinishedAt,
        UpdatedAt = UpdatedAt,
        Artifacts = [.. Artifacts.Select(artifact => artifact.ToInfo())],
    };
}
