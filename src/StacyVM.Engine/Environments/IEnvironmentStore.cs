namespace StacyVM.Engine.Environments;

/// <summary>Specs and builds, durably; failures as those of <see cref="Store.IStore"/>. Every member may be called from many threads.</summary>
internal interface IEnvironmentStore
{
    /// <returns>False when the owner has one of that name; nothing has changed then.</returns>
    Task<bool> AddSpecAsync(EnvironmentSpec spec);

    /// <returns>Null when there is none.</returns>
    Task<EnvironmentSpec?> FindSpecAsync(string id, CancellationToken cancellation);

    /// <summary>Those of an owner, newest first.</summary>
    Task<IReadOnlyList<EnvironmentSpec>> ListSpecsAsync(string owner, CancellationToken cancellation);

    Task AddBuildAsync(EnvironmentBuild build);

    /// <summary>Writes all of a build, unless what is stored is final: that never changes any more.</summary>
    /// <returns>False when it was final, or is not there.</returns>
    Task<bool> SaveBuildAsync(EnvironmentBuild build);

    /// <summary>Writes the log alone, of a build that is not final.</summary>
    Task SaveLogAsync(string buildId, string log);

    /// <returns>Null when there is none.</returns>
    Task<EnvironmentBuild?> FindBuildAsync(string id, CancellationToken cancellation);

    /// <summary>Those of an owner's specs, newest first, each with the end of its log.</summary>
    Task<IReadOnlyList<(EnvironmentBuild Build, EnvironmentSpec Spec)>> ListBuildsAsync(string owner, int limit, CancellationToken cancellation);

    /// <summary>Ids of those that are not final, oldest first.</summary>
    Task<IReadOnlyList<string>> UnfinishedAsync(CancellationToken cancellation);
}
