namespace StacyVM.Protocol.Rest;

/// <summary>An image in the server's store.</summary>
public sealed record ImageInfo
{
    /// <summary>Digest of its configuration; two images with the same one are the same.</summary>
    public required string Digest { get; init; }

    /// <summary>Names it can be spawned by, as people write them; empty for one that is only still in use.</summary>
    public required IReadOnlyList<string> Names { get; init; }

    /// <summary>Bytes of its unpacked layers, those it shares with others included.</summary>
    public required long SizeBytes { get; init; }

    /// <summary>How many layers it has.</summary>
    public required int Layers { get; init; }

    /// <summary>When it was built, as it says.</summary>
    public DateTime? CreatedAt { get; init; }

    /// <summary>When it came into the store.</summary>
    public required DateTime StoredAt { get; init; }

    /// <summary>The user that it wants its programs to run as; absent when it names none.</summary>
    public string? User { get; init; }

    /// <summary>Its working directory; absent when it names none.</summary>
    public string? WorkingDir { get; init; }

    /// <summary>Names of the environment variables that it sets.</summary>
    public IReadOnlyList<string>? Env { get; init; }

    /// <summary>The program that it would start by itself; sandboxes start what they are told.</summary>
    public IReadOnlyList<string>? Entrypoint { get; init; }

    /// <summary>Arguments of that program.</summary>
    public IReadOnlyList<string>? Cmd { get; init; }
}

/// <summary>Request of <c>POST /images/pull</c>.</summary>
public sealed record ImagePullRequest
{
    /// <summary>What to pull, e.g. <c>python:3.12</c> or <c>ghcr.io/a/b:1</c>.</summary>
    public string? Image { get; init; }

    /// <summary>Provider whose own image is taken over instead of asking a registry: <c>docker</c>.</summary>
    public string? From { get; init; }
}

/// <summary>One line of a pull or import that reports its progress.</summary>
public sealed record ImageProgress
{
    /// <summary>A sentence about what has been done, or about what went wrong.</summary>
    public string? Message { get; init; }

    /// <summary>In the last line, when it went well: what is there now.</summary>
    public IReadOnlyList<ImageInfo>? Images { get; init; }

    /// <summary>In the last line, when it did not: a code of the problem table.</summary>
    public string? Code { get; init; }
}

/// <summary>Answer of <c>POST /images/prune</c>.</summary>
public sealed record ImagePruneResult
{
    /// <summary>What was removed, by name or digest.</summary>
    public required IReadOnlyList<string> Removed { get; init; }

    /// <summary>Bytes that this freed.</summary>
    public required long FreedBytes { get; init; }
}
