namespace StacyVM.Protocol.Rest;

/// <summary>Body of <c>POST /environments/specs</c>.</summary>
public sealed record EnvironmentSpecRequest
{
    /// <summary>Whose it is; required.</summary>
    public string? OwnerId { get; init; }

    /// <summary>Required; one owner has each name once.</summary>
    public string? Name { get; init; }

    /// <summary>A Docker image reference to start from; required.</summary>
    public string? BaseImage { get; init; }

    /// <summary>For pip: names with extras and version constraints, e.g. <c>pandas[excel]&gt;=2,&lt;3</c>. Blanks and duplicates are dropped.</summary>
    public List<string?>? PythonPackages { get; init; }

    /// <summary>Debian packages, each with an optional <c>=version</c>. Blanks and duplicates are dropped.</summary>
    public List<string?>? AptPackages { get; init; }

    /// <summary>Such as <c>3.12</c>: the version that the finished image must have. A base image <c>python</c> without a tag gets this one as its tag.</summary>
    public string? PythonVersion { get; init; }
}

/// <summary>What an image is made of.</summary>
public sealed record EnvironmentSpecInfo
{
    /// <summary>A UUID.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string OwnerId { get; init; }

    /// <summary>Unique for the owner.</summary>
    public required string Name { get; init; }

    /// <summary>The image it starts from.</summary>
    public required string BaseImage { get; init; }

    /// <summary>Installed by pip.</summary>
    public required IReadOnlyList<string> PythonPackages { get; init; }

    /// <summary>Installed by apt-get.</summary>
    public required IReadOnlyList<string> AptPackages { get; init; }

    /// <summary>The Python version that a build insists on; absent: any.</summary>
    public string? PythonVersion { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }
}

/// <summary>Packages that often come with those of a spec.</summary>
public sealed record EnvironmentSuggestions
{
    /// <summary>The spec that was asked about.</summary>
    public required string SpecId { get; init; }

    /// <summary>Names of Python packages.</summary>
    public required IReadOnlyList<string> Suggestions { get; init; }
}

/// <summary>Body of <c>POST /environments/builds</c>.</summary>
public sealed record EnvironmentBuildRequest
{
    /// <summary>What to build; required.</summary>
    public string? SpecId { get; init; }

    /// <summary>Where the image goes: <c>local</c>, <c>ghcr</c>, <c>dockerhub</c>; absent or empty: local.</summary>
    public List<string?>? Targets { get; init; }

    /// <summary>Accepted and without effect: the registry decides who may see an image.</summary>
    public string? Visibility { get; init; }
}

/// <summary>One making of an image.</summary>
public sealed record EnvironmentBuildInfo
{
    /// <summary>A UUID.</summary>
    public required string Id { get; init; }

    /// <summary>What is built.</summary>
    public required string SpecId { get; init; }

    /// <summary><c>queued</c>, <c>building</c>, <c>ready</c>, <c>failed</c> or <c>canceled</c>; the last three are final.</summary>
    public required string Status { get; init; }

    /// <summary><c>queued</c>, <c>validate_spec</c>, <c>generate_dockerfile</c>, <c>docker_build</c>, <c>tag_and_push_targets</c> or <c>finalize</c>.</summary>
    public required string CurrentStep { get; init; }

    /// <summary>What the build said so far, in lines; of a very long log the middle is left out. In lists only the last 4,096 characters.</summary>
    public required string Log { get; init; }

    /// <summary>Size of the finished image; 0 before.</summary>
    public required long ImageSizeBytes { get; init; }

    /// <summary>Id of the image on the Docker engine.</summary>
    public string? DigestLocal { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When it became final; UTC.</summary>
    public DateTime? FinishedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>One for each target.</summary>
    public required IReadOnlyList<EnvironmentArtifactInfo> Artifacts { get; init; }
}

/// <summary>The image of a build at one target.</summary>
public sealed record EnvironmentArtifactInfo
{
    /// <summary><c>local</c>, <c>ghcr</c> or <c>dockerhub</c>.</summary>
    public required string Target { get; init; }

    /// <summary>Its name; that at a registry is a placeholder until the image is pushed.</summary>
    public required string ImageRef { get; init; }

    /// <summary>Image id for <c>local</c>, else the digest that the registry knows it by.</summary>
    public string? Digest { get; init; }

    /// <summary><c>pending</c>, <c>ready</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }
}

/// <summary>A build with the spec it was made from.</summary>
public sealed record EnvironmentBuildEntry
{
    /// <summary>The build.</summary>
    public required EnvironmentBuildInfo Build { get; init; }

    /// <summary>Its spec.</summary>
    public required EnvironmentSpecInfo Spec { get; init; }
}

/// <summary>How to spawn a sandbox from a build.</summary>
public sealed record EnvironmentSpawnConfig
{
    /// <summary>The build that was asked about.</summary>
    public required string BuildId { get; init; }

    /// <summary>Its status.</summary>
    public required string BuildStatus { get; init; }

    /// <summary>Whether the image is there.</summary>
    public required bool Ready { get; init; }

    /// <summary>Provider to spawn with.</summary>
    public required string Provider { get; init; }

    /// <summary>Image to spawn with.</summary>
    public required string Image { get; init; }

    /// <summary>The target whose artifact this is.</summary>
    public required string Target { get; init; }

    /// <summary>Digest of the image; empty before it is ready.</summary>
    public required string Digest { get; init; }

    /// <summary>What to know about it.</summary>
    public required string Note { get; init; }
}

/// <summary>Body of <c>POST /environments/registry-connections</c>.</summary>
public sealed record RegistryConnectionRequest
{
    /// <summary>Of the connection to replace; absent: a new one.</summary>
    public string? Id { get; init; }

    /// <summary>Whose it is; required.</summary>
    public string? OwnerId { get; init; }

    /// <summary><c>ghcr</c> or <c>dockerhub</c>; required.</summary>
    public string? Provider { get; init; }

    /// <summary>Account at the registry; required. It becomes part of the names of pushed images.</summary>
    public string? Username { get; init; }

    /// <summary>Password or token of the account; required. Sealed at rest and never given back.</summary>
    public string? SecretRef { get; init; }

    /// <summary>Whether builds of the owner take it before others of the same provider.</summary>
    public bool? IsDefault { get; init; }
}

/// <summary>An account at a registry, without its secret.</summary>
public sealed record RegistryConnectionInfo
{
    /// <summary>A UUID, unless the client chose another.</summary>
    public required string Id { get; init; }

    /// <summary>Whose it is.</summary>
    public required string OwnerId { get; init; }

    /// <summary><c>ghcr</c> or <c>dockerhub</c>.</summary>
    public required string Provider { get; init; }

    /// <summary>Account at the registry.</summary>
    public required string Username { get; init; }

    /// <summary>Whether it is taken before others of the same provider.</summary>
    public required bool IsDefault { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>UTC.</summary>
    public required DateTime UpdatedAt { get; init; }
}
