namespace StacyVM.Engine.Environments;

/// <summary>Registry connections, durably; failures as those of <see cref="Store.IStore"/>.</summary>
internal interface IRegistryConnectionStore
{
    /// <returns>Null when there is none.</returns>
    Task<RegistryConnection?> FindAsync(string id, CancellationToken cancellation);

    /// <summary>Those of an owner, the default ones first, then the oldest.</summary>
    Task<IReadOnlyList<RegistryConnection>> ListAsync(string owner, CancellationToken cancellation);

    /// <summary>Inserts or replaces by id, and keeps the time of creation. A new default takes that from the others of its owner and provider.</summary>
    /// <returns>False when the account stands under another id, or the id belongs to another owner; nothing has changed then.</returns>
    Task<bool> SaveAsync(RegistryConnection connection);

    /// <returns>False when there was none.</returns>
    Task<bool> DeleteAsync(string id);
}
