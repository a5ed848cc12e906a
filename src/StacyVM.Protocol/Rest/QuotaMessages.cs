namespace StacyVM.Protocol.Rest;

/// <summary>Body of <c>PUT /quotas/{owner}</c>. It replaces the whole quota: what is left out is inherited from <c>defaults.*</c>.</summary>
public sealed record QuotaRequest
{
    /// <summary>Most sandboxes of the owner at one time; 0 or absent: inherited. Negative is refused.</summary>
    public int? MaxSandboxes { get; init; }

    /// <summary>Longest lifetime that the owner may ask for; empty, <c>0</c> or absent: inherited. Whole seconds, at least one.</summary>
    public string? MaxTtl { get; init; }

    /// <summary>Longest time limit of a command in the owner's sandboxes; empty, <c>0</c> or absent: inherited. Whole seconds, at least one.</summary>
    public string? MaxExecTimeout { get; init; }
}

/// <summary>The limits of one owner that differ from the defaults.</summary>
public sealed record QuotaInfo
{
    /// <summary>Whose it is.</summary>
    public required string OwnerId { get; init; }

    /// <summary>Most sandboxes at one time; 0: inherited.</summary>
    public required int MaxSandboxes { get; init; }

    /// <summary>Longest lifetime, a duration; <c>0s</c>: inherited.</summary>
    public required string MaxTtl { get; init; }

    /// <summary>Longest time of a command, a duration; <c>0s</c>: inherited.</summary>
    public required string MaxExecTimeout { get; init; }

    /// <summary>When the owner first got a quota; UTC.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When it was last replaced; UTC.</summary>
    public required DateTime UpdatedAt { get; init; }
}

/// <summary>What an owner uses, and the limits that really hold for it.</summary>
public sealed record QuotaUsage
{
    /// <summary>Whose it is.</summary>
    public required string OwnerId { get; init; }

    /// <summary>Places taken, by sandboxes and by spawns that are under way.</summary>
    public required int ActiveSandboxes { get; init; }

    /// <summary>Most sandboxes at one time; 0: no limit.</summary>
    public required int MaxSandboxes { get; init; }

    /// <summary>Longest lifetime, a duration; <c>0s</c>: no limit.</summary>
    public required string MaxTtl { get; init; }

    /// <summary>Longest time of a command, a duration; <c>0s</c>: no limit.</summary>
    public required string MaxExecTimeout { get; init; }

    /// <summary>Whether the owner has a quota of its own.</summary>
    public required bool QuotaConfigured { get; init; }
}

/// <summary>How many owners have a quota, and how many of those override what. Exactly these four fields.</summary>
public sealed record QuotaSummary
{
    /// <summary>Owners with a quota.</summary>
    public required int Total { get; init; }

    /// <summary>Of those: with a number of sandboxes of their own.</summary>
    public required int WithMaxSandboxes { get; init; }

    /// <summary>Of those: with a longest lifetime of their own.</summary>
    public required int WithMaxTtl { get; init; }

    /// <summary>Of those: with a longest time of a command of their own.</summary>
    public required int WithMaxExecTimeout { get; init; }
}
