namespace StacyVM.Engine.Templates;

/// <summary>Templates, durably; failures as those of <see cref="Store.IStore"/>. Every member may be called from many threads.</summary>
internal interface ITemplateStore
{
    /// <summary>All, by name.</summary>
    Task<IReadOnlyList<Template>> ListAsync(CancellationToken cancellation);

    /// <returns>Null when there is none of that name.</returns>
    Task<Template?> FindAsync(string name, CancellationToken cancellation);

    /// <returns>False when the name is taken; nothing has changed then.</returns>
    Task<bool> AddAsync(Template template);

    /// <summary>Puts a template in the place of the one that was read.</summary>
    /// <returns>False when that one has been replaced or deleted meanwhile; nothing has changed then.</returns>
    Task<bool> ReplaceAsync(Template read, Template template);

    /// <returns>False when there was none of that name.</returns>
    Task<bool> DeleteAsync(string name);
}
