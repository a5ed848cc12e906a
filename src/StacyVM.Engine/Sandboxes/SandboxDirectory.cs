using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// All sandboxes of this server: their life from create to destroy. Every call is safe from many threads; calls on one sandbox that change it
/// take turns, calls on different ones never wait for each other.
/// </summary>
internal sealed class SandboxDirectory
{
    /// <summary>
    /// 1 validate, 2 reserve capacity, 3 write the record as creating, 4 build without any lock, 5 write running, 6 arm expiry. A failure or a caller that
    /// goes away undoes all of it.
    /// </summary>
    /// <exception cref="StacyVMException">InvalidInput, ProviderNotFound, ResourceLimit, ProviderUnavailable, StorageFull.</exception>
    public Task<SandboxInfo> CreateAsync(SpawnRequest request, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Newest first, without destroyed ones.</summary>
    public IReadOnlyList<SandboxInfo> List(Caller caller) => throw new NotSupportedException();

    /// <exception cref="StacyVMException">SandboxNotFound, also for one the caller may not see and for a destroyed one.</exception>
    public SandboxInfo Get(string id, Caller caller) => throw new NotSupportedException();

    /// <summary>New expiry = now + ttl, bounded by the maximum. Once accepted it never loses against the expiry timer.</summary>
    public Task<SandboxInfo> ExtendAsync(string id, TimeSpan ttl, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Idempotent: an unknown or destroyed id succeeds. A failure leaves the record as destroying, with the reason, and is retried.</summary>
    public Task DestroyAsync(string id, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Destroys what has expired, in parallel; says how many.</summary>
    public Task<int> PruneAsync(Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>
    /// The living sandbox, for exec, files and ports. Right after a start of the server it waits until the sandbox has been taken up again.
    /// </summary>
    /// <exception cref="StacyVMException">
    /// SandboxNotFound, SandboxDestroyed, Conflict while it is being created or destroyed, SandboxGone when it has ended,
    /// ProviderUnavailable while its provider cannot be asked.
    /// </exception>
    public Task<ISandbox> LivingAsync(string id, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>The sandbox dead or alive, for its console and its usage: as <see cref="LivingAsync"/>, but one that has ended is no error.</summary>
    public Task<ISandbox> InspectAsync(string id, Caller caller, CancellationToken cancellation) => throw new NotSupportedException();
}
