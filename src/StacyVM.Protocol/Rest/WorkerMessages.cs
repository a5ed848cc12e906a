using System.Text.Json;

namespace StacyVM.Protocol.Rest;

/// <summary>A worker: a machine that hosts sandboxes. The server itself is the worker <see cref="Local"/>.</summary>
public sealed record WorkerInfo
{
    /// <summary>Id of the server's own worker.</summary>
    public const string Local = "local";

    /// <summary><c>local</c> for the server itself.</summary>
    public required string Id { get; init; }

    /// <summary>Name of its machine.</summary>
    public required string Hostname { get; init; }

    /// <summary><c>online</c>, <c>draining</c>, <c>unhealthy</c>, or what the worker says of itself.</summary>
    public required string Status { get; init; }

    /// <summary>Names of its isolation levels.</summary>
    public required IReadOnlyList<string> Providers { get; init; }

    /// <summary>What it can do.</summary>
    public required IReadOnlyList<string> Capabilities { get; init; }

    /// <summary>An object; of the local worker the same as <see cref="DiagnosticsInfo.Limits"/>.</summary>
    public required JsonElement Capacity { get; init; }

    /// <summary>UTC, whole seconds.</summary>
    public required DateTime LastHeartbeat { get; init; }

    /// <summary>When it first came; UTC, whole seconds.</summary>
    public required DateTime CreatedAt { get; init; }

    /// <summary>When its entry last changed; UTC, whole seconds.</summary>
    public required DateTime UpdatedAt { get; init; }

    /// <summary>Its last heartbeat is older than two minutes.</summary>
    public required bool Stale { get; init; }
}

/// <summary>An image of which a level has a checkpoint to start from.</summary>
public sealed record SnapshotInfo
{
    /// <summary>The image.</summary>
    public required string Image { get; init; }

    /// <summary>The isolation level that has it.</summary>
    public required string Provider { get; init; }

    /// <summary>When it was made.</summary>
    public required DateTime CreatedAt { get; init; }
}

/// <summary>Answer of <c>GET /pool/status</c>; only <see cref="Enabled"/> while it is false.</summary>
public sealed record PoolStatus
{
    /// <summary>Whether several users share a runtime.</summary>
    public required bool Enabled { get; init; }

    /// <summary>Runtimes that are up.</summary>
    public int? Vms { get; init; }

    /// <summary>Runtimes that may be up.</summary>
    public int? MaxVms { get; init; }

    /// <summary>Users in all runtimes.</summary>
    public int? TotalUsers { get; init; }

    /// <summary>Users that one runtime takes.</summary>
    public int? MaxUsersPerVm { get; init; }
}

/// <summary>The machine of the server. Percentages from 0 to 100, rates in bytes a second; the rates are zero until a second has been seen.</summary>
public sealed record SystemStats
{
    /// <summary>Of all processors.</summary>
    public required double CpuPct { get; init; }

    /// <summary>Memory that is not available.</summary>
    public required double MemPct { get; init; }

    /// <summary>Of the file system with the data directory.</summary>
    public required double DiskPct { get; init; }

    /// <summary>All interfaces but loopback.</summary>
    public required double NetRxBps { get; init; }

    /// <summary>As <see cref="NetRxBps"/>, sent.</summary>
    public required double NetTxBps { get; init; }

    /// <summary>Load average over the last minute.</summary>
    public required double Load1 { get; init; }
}

/// <summary>Answer of <c>PATCH /config</c>.</summary>
public sealed record ConfigUpdate
{
    /// <summary><c>updated</c>.</summary>
    public required string Status { get; init; }

    /// <summary>What takes effect when, in words.</summary>
    public required string Message { get; init; }

    /// <summary>Keys whose new values are in force now.</summary>
    public IReadOnlyList<string>? Applied { get; init; }

    /// <summary>Keys whose new values are in force after a restart.</summary>
    public IReadOnlyList<string>? AfterRestart { get; init; }

    /// <summary>Keys that a variable or a flag sets, over what is now in the file.</summary>
    public IReadOnlyList<string>? Overridden { get; init; }

    /// <summary>The file that was written.</summary>
    public string? File { get; init; }

    /// <summary>Its former content; absent when there was no file.</summary>
    public string? Backup { get; init; }
}
