namespace StacyVM.Engine.Quotas;

/// <summary>Where quotas outlive the server. A write that has returned survives a killed server; failures are those of <see cref="Store.IStore"/>.</summary>
internal interface IOwnerQuotaStore
{
    Task<IReadOnlyList<OwnerQuota>> LoadAsync(CancellationToken cancellation);

    /// <summary>Inserts or replaces; the time of creation is kept.</summary>
    Task SaveAsync(OwnerQuota quota);

    /// <summary>One that does not exist is no error.</summary>
    Task DeleteAsync(string owner);
}
