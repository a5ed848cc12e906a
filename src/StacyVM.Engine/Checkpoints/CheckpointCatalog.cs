using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Checkpoints;

/// <summary>
/// The records of all checkpoints: in memory, written through. What a spawn begins with is held meanwhile, and what is held is not deleted. Safe for many threads.
/// </summary>
internal sealed class CheckpointCatalog(ICheckpointStore store, SecretBox box, int mostOfOwner)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    /// <summary>Every one, of forks and half-made ones, too.</summary>
    public IReadOnlyList<CheckpointRecord> All
    {
        get
        {
            lock (_lock)
                return [.. _entries.Values.Select(entry => entry.Record)];
        }
    }

    /// <summary>Reads the records of earlier processes.</summary>
    public async Task LoadAsync(CancellationToken cancellation)
    {
        IReadOnlyList<CheckpointRecord> records = await store.LoadAsync(cancellation);
        lock (_lock)
        {
            foreach (CheckpointRecord record in records)
                _entries[record.Id] = new Entry(record);
        }
    }

    /// <summary>Newest first.</summary>
    public IReadOnlyList<CheckpointInfo> List(Caller caller) =>
        [.. Visible(caller).OrderByDescending(record => record.CreatedAt).ThenBy(record => record.Id, StringComparer.Ordinal).Select(record => record.ToInfo())];

    /// <summary>By name or id. Where the caller sees several of one name, its own is meant.</summary>
    /// <exception cref="StacyVMException">NotFound, also for one that the caller may not see; Conflict when it cannot be told which is meant.</exception>
    public CheckpointRecord Get(string name, Caller caller)
    {
        List<CheckpointRecord> found = [.. Visible(caller).Where(record => record.Id == name || record.Name == name)];
        if (found.Count > 1)
            found = found.FindAll(record => record.OwnerId == (caller.Owner ?? "")) is { Count: 1 } own ? own : found;
        return found switch
        {
            [] => throw new StacyVMException(ProblemKind.NotFound, $"checkpoint {SpawnValidation.Shown(name)}; GET /checkpoints lists what is there"),
            [CheckpointRecord one] => one,
            _ => throw new StacyVMException(ProblemKind.Conflict, $"{found.Count} owners have a checkpoint {name}: name it by its id ({string.Join(", ", found.Take(3).Select(record => record.Id))})"),
        };
    }

    /// <summary>Keeps it for a spawn.</summary>
    /// <inheritdoc cref="Get"/>
    public CheckpointHold Hold(string name, Caller caller) => Hold(Get(name, caller));

    /// <exception cref="StacyVMException">NotFound, Conflict for one that is not ready.</exception>
    public CheckpointHold Hold(CheckpointRecord record)
    {
        lock (_lock)
        {
            if (!_entries.TryGetValue(record.Id, out Entry? entry) || entry.Record.State == CheckpointStates.Deleting)
                throw new StacyVMException(ProblemKind.NotFound, $"checkpoint {record.Name}");
            if (entry.Record.State != CheckpointStates.Ready)
                throw new StacyVMException(ProblemKind.Conflict, entry.Record.State == CheckpointStates.Creating
                    ? $"checkpoint {record.Name} is still being made"
                    : $"checkpoint {record.Name} cannot be used: {entry.Record.Reason}");
            entry.Holds++;
            return new CheckpointHold(new SpawnOrigin(entry.Record, box), () => LetGo(entry));
        }
    }

    /// <summary>Takes a new one up, durably.</summary>
    /// <exception cref="StacyVMException">Conflict when its owner has one of that name, ResourceLimit when he has too many.</exception>
    public async Task AddAsync(CheckpointRecord record)
    {
        lock (_lock)
        {
            List<CheckpointRecord> others = [.. _entries.Values.Select(entry => entry.Record).Where(other => other.OwnerId == record.OwnerId && other.TenantId == record.TenantId && other.Name.Length > 0)];
            if (record.Name.Length > 0 && others.Exists(other => other.Name == record.Name && other.State != CheckpointStates.Deleting))
                throw new StacyVMException(ProblemKind.Conflict, $"there is a checkpoint {record.Name} already: choose another name, or delete it");
            if (record.Name.Length > 0 && mostOfOwner > 0 && others.Count >= mostOfOwner)
                throw new StacyVMException(ProblemKind.ResourceLimit, $"{others.Count} of {mostOfOwner} checkpoints are there (defaults.max_checkpoints): delete one");
            _entries.Add(record.Id, new Entry(record));
        }
        try
        {
            await store.SaveAsync(record);
        }
        catch
        {
            lock (_lock)
                _entries.Remove(record.Id);
            throw;
        }
    }

    /// <summary>Changes one, durably first.</summary>
    /// <returns>What has come of it; null when it is gone or was left as it is.</returns>
    public async Task<CheckpointRecord?> ChangeAsync(string id, Func<CheckpointRecord, CheckpointRecord?> change, DateTime now)
    {
        Entry? entry;
        lock (_lock)
            _entries.TryGetValue(id, out entry);
        if (entry is null)
            return null;
        await entry.Gate.WaitAsync();
        try
        {
            if (change(entry.Record) is not { } changed)
                return null;
            changed = changed with { UpdatedAt = now };
            await store.SaveAsync(changed);
            lock (_lock)
                entry.Record = changed;
            return changed;
        }
        finally
        {
            entry.Gate.Release();
        }
    }

    /// <summary>Nobody can use it from now on.</summary>
    /// <returns>What has come of it; null when it is gone already.</returns>
    /// <exception cref="StacyVMException">Conflict while something is started from it, or while it is made.</exception>
    public Task<CheckpointRecord?> CondemnAsync(string id, DateTime now)
    {
        return ChangeAsync(id, Condemn, now);

        CheckpointRecord Condemn(CheckpointRecord record)
        {
            lock (_lock)
            {
                if (_entries.TryGetValue(id, out Entry? entry) && entry.Holds > 0)
                    throw new StacyVMException(ProblemKind.Conflict, $"sandboxes are being started from checkpoint {record.Name} just now: delete it afterwards");
                CheckpointRecord condemned = record with { State = CheckpointStates.Deleting };
                // At once, and not after the writing: nobody may take hold of it in between.
                if (entry is not null)
                    entry.Record = condemned;
                return condemned;
            }
        }
    }

    /// <summary>Its files are gone: nothing is known of it any more.</summary>
    public async Task RemoveAsync(string id)
    {
        await store.DeleteAsync(id);
        lock (_lock)
            _entries.Remove(id);
    }

    public bool Has(string id)
    {
        lock (_lock)
            return _entries.ContainsKey(id);
    }

    private List<CheckpointRecord> Visible(Caller caller)
    {
        lock (_lock)
        {
            return [.. _entries.Values.Select(entry => entry.Record)
                .Where(record => record.Name.Length > 0 && record.State != CheckpointStates.Deleting && caller.Sees(record.OwnerId, record.TenantId))];
        }
    }

    private void LetGo(Entry entry)
    {
        lock (_lock)
            entry.Holds--;
    }

    private sealed class Entry(CheckpointRecord record)
    {
        public CheckpointRecord Record { get; set; } = record;

        public int Holds { get; set; }

        /// <summary>Turns taken by everything that changes the record.</summary>
        public SemaphoreSlim Gate { get; } = new(1, 1);
    }
}
