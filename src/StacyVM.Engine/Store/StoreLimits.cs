namespace StacyVM.Engine.Store;

/// <summary>What the store keeps, and for how long.</summary>
internal sealed record StoreLimits
{
    /// <summary>Destroyed sandboxes, exec rows and audit rows older than this are deleted; zero: none for its age.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Rows kept of each of these kinds, whatever their age; the newest stay.</summary>
    public int MaxRows { get; init; } = 200_000;

    /// <summary>Keep a row for each operation on a sandbox.</summary>
    public bool Audit { get; init; } = true;

    /// <summary>Admin audit rows older than this are deleted; zero: none.</summary>
    public TimeSpan AdminAuditRetention { get; init; }

    /// <summary>Keep the output of commands. Off: output can hold secrets.</summary>
    public bool ExecLogs { get; init; }

    /// <summary>Bytes kept of each of a command's streams.</summary>
    public int MaxExecLogBytes { get; init; } = 64 * 1024;

    /// <summary>Log and audit rows that wait to be written; beyond, the oldest are dropped and counted.</summary>
    public int MaxWaitingRows { get; init; } = 8_192;
}
