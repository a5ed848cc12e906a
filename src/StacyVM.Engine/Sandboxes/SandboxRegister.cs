using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Store;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Every sandbox that is not gone, in memory, and the one way in which its record changes: under its gate, here and in the store.
/// </summary>
internal sealed partial class SandboxRegister(IStore store, string previewDomain, ILogger<SandboxRegister> log, TimeProvider time)
{
    private const int RememberedGone = 1_024;

    private readonly ConcurrentDictionary<string, SandboxEntry> _entries = new(StringComparer.Ordinal);
    private readonly Lock _goneLock = new();
    private readonly Dictionary<string, (string Owner, string Tenant, long At)> _gone = new(StringComparer.Ordinal);
    private readonly Queue<string> _goneOrder = new();

    public IEnumerable<SandboxEntry> All => _entries.Select(pair => pair.Value);

    public int Count => _entries.Count;

    public bool TryFind(string id, [NotNullWhen(true)] out SandboxEntry? entry) => _entries.TryGetValue(id, out entry);

    /// <summary>Takes up a sandbox; its id is new.</summary>
    public SandboxEntry Add(SandboxRecord record, CapacityReservation place)
    {
        var entry = new SandboxEntry(record, place, previewDomain);
        if (!_entries.TryAdd(record.Id, entry))
        {
            place.Release();
            throw new StacyVMException(ProblemKind.Conflict, $"there is a sandbox {record.Id} already");
        }
        return entry;
    }

    /// <summary>Lets go of a sandbox that is gone; its id is remembered for a while, for a better answer to late calls.</summary>
    public void Remove(SandboxEntry entry)
    {
        if (!_entries.TryRemove(entry.Id, out _))
            return;
        lock (_goneLock)
        {
            if (_goneOrder.Count == RememberedGone)
                _gone.Remove(_goneOrder.Dequeue());
            if (_gone.TryAdd(entry.Id, (entry.Record.OwnerId, entry.Record.TenantId, time.GetTimestamp())))
                _goneOrder.Enqueue(entry.Id);
        }
    }

    /// <summary>True for a sandbox that was destroyed a short while ago and that the caller could see.</summary>
    public bool WasDestroyed(string id, Caller caller)
    {
        lock (_goneLock)
            return _gone.TryGetValue(id, out (string Owner, string Tenant, long At) whose) && caller.Sees(whose.Owner, whose.Tenant);
    }

    /// <summary>True for a sandbox that left at or after a timestamp of the clock.</summary>
    public bool LeftSince(long timestamp, string id)
    {
        lock (_goneLock)
            return _gone.TryGetValue(id, out (string Owner, string Tenant, long At) whose) && whose.At >= timestamp;
    }

    /// <summary>
    /// Changes a record under its gate. In memory first, then durably: what clients see at once is what a restart finds, or a state
    /// that the next reconciliation puts right.
    /// </summary>
    /// <param name="entry">Whose.</param>
    /// <param name="change">Returns null to leave it as it is.</param>
    /// <returns>Whether it was changed.</returns>
    public async Task<bool> ChangeAsync(SandboxEntry entry, Func<SandboxRecord, SandboxRecord?> change)
    {
        await entry.Gate.WaitAsync(CancellationToken.None);
        try
        {
            if (change(entry.Record) is not { } changed)
                return false;
            changed = changed with { UpdatedAt = time.GetUtcNow().UtcDateTime };
            entry.Become(changed);
            // A store that cannot be written does not stop a life from going on, or from ending: removing a sandbox may be what frees the disk.
            try
            {
                await store.SaveAsync(changed);
            }
            catch (StacyVMException e)
            {
                NotWritten(log, entry.Id, changed.State, e.Message);
            }
            return true;
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>As <see cref="ChangeAsync"/>, but durably first: a promise to a client. When it cannot be written, nothing has changed.</summary>
    public async Task PromiseAsync(SandboxEntry entry, Func<SandboxRecord, SandboxRecord> change, Action? after = null)
    {
        await entry.Gate.WaitAsync(CancellationToken.None);
        try
        {
            SandboxRecord changed = change(entry.Record) with { UpdatedAt = time.GetUtcNow().UtcDateTime };
            await store.SaveAsync(changed);
            entry.Become(changed);
            after?.Invoke();
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    [LoggerMessage(Level = LogLevel.Error, EventName = "sandbox.not_written", Message = "sandbox {Id} is {State}, which could not be written: {Problem}")]
    private static partial void NotWritten(ILogger log, string id, string state, string problem);
}
