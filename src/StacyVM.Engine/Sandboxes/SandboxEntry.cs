using StacyVM.Engine.Providers;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// One sandbox in memory: the record that clients see, and what works on it. Reading is free; whoever changes the record holds
/// <see cref="Gate"/>, which is never held while a provider works.
/// </summary>
internal sealed class SandboxEntry(SandboxRecord record, CapacityReservation place, string previewDomain)
{
    private readonly CancellationTokenSource _abandon = new();
    private readonly TaskCompletionSource _settled = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Snapshot _snapshot = new(record, record.ToInfo(previewDomain));
    private volatile ISandbox? _sandbox;

    public string Id { get; } = record.Id;

    /// <summary>Turns taken by everything that changes the record.</summary>
    public SemaphoreSlim Gate { get; } = new(1, 1);

    /// <summary>Given back when all of the sandbox is gone.</summary>
    public CapacityReservation Place { get; } = place;

    public SandboxRecord Record => _snapshot.Record;

    public SandboxInfo Info => _snapshot.Info;

    /// <summary>The running thing; null while it is built or recovered, and when it could not be.</summary>
    public ISandbox? Sandbox => _sandbox;

    /// <summary>Cancelled when a create is to be given up.</summary>
    public CancellationToken Abandoned => _abandon.Token;

    /// <summary>Completes when it is known whether there is a running sandbox: built or failed, recovered or not. Never fails.</summary>
    public Task Settled => _settled.Task;

    public ExpiryTimer? Expiry { get; set; }

    /// <summary>Its creation has been told to subscribers, so its end is too.</summary>
    public bool Announced { get; set; }

    /// <summary>The present attempt to remove it; guarded by a lock on the entry.</summary>
    public Task? Ending { get; set; }

    /// <summary>A loop repeats failed attempts; guarded by a lock on the entry.</summary>
    public bool Retrying { get; set; }

    /// <summary>1 while a recovery is under way.</summary>
    public int Recovering;

    /// <summary>Replaces the record; the caller holds <see cref="Gate"/>.</summary>
    public void Become(SandboxRecord record) => _snapshot = new Snapshot(record, record.ToInfo(previewDomain));

    public void Attach(ISandbox sandbox) => _sandbox = sandbox;

    public void Settle() => _settled.TrySetResult();

    public void Abandon() => _abandon.Cancel();

    /// <summary>Whether it exists for the caller.</summary>
    public bool VisibleTo(Caller caller) => caller.Sees(Record.OwnerId, Record.TenantId);

    /// <summary>Record and what clients see of it, exchanged together.</summary>
    private sealed record Snapshot(SandboxRecord Record, SandboxInfo Info);
}
