using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Environments;
using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Templates;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store;

/// <summary>
/// What outlives the server process. Records are written through: a write that has returned survives a killed server. Log rows are
/// written in batches behind the caller's back. Every member may be called from many threads.
/// </summary>
/// <remarks>
/// Failures are <see cref="StacyVMException"/>: <see cref="ProblemKind.StorageFull"/> when the disk is full, <see cref="ProblemKind.Unavailable"/> otherwise,
/// with the path and what to do.
/// </remarks>
internal interface IStore : IAsyncDisposable
{
    IOwnerQuotaStore Quotas { get; }

    ITemplateStore Templates { get; }

    ICheckpointStore Checkpoints { get; }

    IEnvironmentStore Environments { get; }

    IRegistryConnectionStore RegistryConnections { get; }

    /// <summary>Every sandbox that is not destroyed.</summary>
    Task<IReadOnlyList<SandboxRecord>> LoadAsync(CancellationToken cancellation);

    /// <summary>Inserts or replaces a record. Two writes of one id, started one after the other, are applied in that order.</summary>
    Task SaveAsync(SandboxRecord record);

    /// <summary>Queues a log row; never waits.</summary>
    void Append(LogRow row);

    /// <summary>Log rows that were dropped because writing did not keep up.</summary>
    long DroppedRows { get; }

    /// <summary>How it is, from memory.</summary>
    StoreHealth Health { get; }

    /// <summary>The rows of workers.</summary>
    IWorkerStore Workers { get; }

    /// <summary>The admin audit.</summary>
    IAdminAuditStore AdminAudit { get; }

    /// <summary>Returns when everything that was queued before is written.</summary>
    Task FlushAsync();

    /// <summary>Deletes what is beyond the limits, in short transactions.</summary>
    Task TrimAsync(DateTime now);

    /// <summary>Audit rows, newest first.</summary>
    /// <param name="tenant">Null: all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellation">Ends the reading.</param>
    Task<IReadOnlyList<AuditRow>> ReadAuditAsync(string? tenant, int limit, CancellationToken cancellation);

    /// <summary>Exec rows of a sandbox, newest first.</summary>
    Task<IReadOnlyList<ExecLogRow>> ReadExecLogsAsync(string sandboxId, int limit, CancellationToken cancellation);
}
