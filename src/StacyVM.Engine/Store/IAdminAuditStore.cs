using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Store;

/// <summary>The admin audit. Rows are queued with <see cref="IStore.Append"/> and written in batches.</summary>
internal interface IAdminAuditStore
{
    /// <summary>Rows, newest first, those that were queued before included.</summary>
    Task<IReadOnlyList<AdminAuditRecord>> ReadAsync(AdminAuditFilter filter, CancellationToken cancellation);

    /// <summary>
    /// Deletes, in short transactions, what is older, and of refused calls all but the newest: they cost their caller nothing, so that they must not
    /// fill the disk, and must not push out what administrators did.
    /// </summary>
    /// <param name="before">Null: nothing is too old.</param>
    /// <param name="maxRefused">Rows of refused calls that stay.</param>
    Task TrimAsync(DateTime? before, int maxRefused);
}
