using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers;

/// <summary>
/// One isolation level. It builds a wall, starts the agent behind it, finds walls again after a restart, and tears them down. It knows
/// nothing of records, owners or HTTP. All members may be called concurrently, for different ids and for the same one.
/// </summary>
internal interface ISandboxProvider
{
    /// <summary>The name in the API and the configuration, e.g. <c>bubblewrap</c>.</summary>
    string Name { get; }

    /// <summary>What kind of level it is, for <c>capabilities</c> in the API: <c>container</c>, <c>namespaces</c>, <c>test_provider</c>, …</summary>
    IReadOnlyList<string> Traits { get; }

    /// <summary>Settings that may be shown to any reader; <c>type</c> first. Never a secret.</summary>
    IReadOnlyDictionary<string, string> PublicSettings { get; }

    /// <summary>Tries whether the level really works here, by doing it and not by looking for files. Never throws for a missing runtime.</summary>
    Task<ProviderHealth> ProbeAsync(CancellationToken cancellation);

    /// <summary>
    /// Builds the sandbox and waits until its agent answers.
    /// </summary>
    /// <param name="id">Chosen by the caller and safe as a file name; a create that was cut off may be repeated with the same id.</param>
    /// <param name="spec">What to build.</param>
    /// <param name="progress">Sentences about long steps, such as an image pull.</param>
    /// <param name="cancellation">Abandons the work; nothing stays behind.</param>
    /// <exception cref="StacyVMException">
    /// <see cref="ProblemKind.InvalidInput"/> for an image that cannot be had (naming those that can),
    /// <see cref="ProblemKind.ProviderUnavailable"/> when the level does not work, <see cref="ProblemKind.StorageFull"/>.
    /// Whatever is thrown, nothing of the sandbox stays behind.
    /// </exception>
    Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation);

    /// <summary>
    /// Takes up a living sandbox after a restart of the server. Its agent may still be dialling: the sandbox is usable when it has come.
    /// </summary>
    /// <returns>Null when it is certain that the runtime no longer exists. Throws when that cannot be told.</returns>
    Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation);

    /// <summary>
    /// Everything that exists at this level and belongs to this installation: running, dead and half built. What other installations
    /// made on the same host or daemon is not listed.
    /// </summary>
    Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation);

    /// <summary>
    /// Removes whatever exists under an id, with or without a handle: processes, mounts, cgroups, directories, containers. Returns when all
    /// is gone; removing what is not there is success.
    /// </summary>
    Task RemoveAsync(string id, CancellationToken cancellation);
}
