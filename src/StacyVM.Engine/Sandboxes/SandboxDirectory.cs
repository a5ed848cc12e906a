using Microsoft.Extensions.Logging;
using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Events;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Store;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// All sandboxes of this server: their life from create to destroy. Every call is safe from many threads; calls on one sandbox that change it
/// take turns, calls on different ones never wait for each other.
/// </summary>
internal sealed class SandboxDirectory : IAsyncDisposable
{
    /// <summary>How long a call waits for a sandbox that is taken up again after a start.</summary>
    private static readonly TimeSpan RecoveryPatience = TimeSpan.FromSeconds(30);

    /// <summary>How long the end of the server waits for creates and destroys that are under way.</summary>
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource _stopping = new();
    private readonly IStore _store;
    private readonly OperationJournal _journal;
    private readonly ProviderRegistry _providers;
    private readonly TimeProvider _time;
    private readonly Admission _admission;
    private readonly SandboxRegister _register;
    private readonly Teardown _teardown;
    private readonly Recovery _recovery;
    private readonly Reconciler _reconciler;
    private readonly SandboxCreation _creation;
    private readonly Standstill _standstill;
    private Task _reconciling = Task.CompletedTask;

    public SandboxDirectory(
        StacyOptions options, Admission admission, ProviderRegistry providers, IStore store, OperationJournal journal, ILoggerFactory loggers)
    {
        TimeProvider time = journal.Clock;
        _admission = admission;
        _store = store;
        _journal = journal;
        _providers = providers;
        _time = time;
        _register = new SandboxRegister(store, options.Server.PreviewAuthority, loggers.CreateLogger<SandboxRegister>(), time);
        _teardown = new Teardown(_register, providers, journal, loggers.CreateLogger<Teardown>(), time, _stopping.Token);
        _recovery = new Recovery(_register, journal, loggers.CreateLogger<Recovery>(), time, _stopping.Token);
        _reconciler = new Reconciler(_register, providers, _recovery, _teardown, loggers.CreateLogger<Reconciler>(), time);
        _standstill = new Standstill(_register, providers, journal);
        _creation = new SandboxCreation(_register, _teardown, store, journal, loggers.CreateLogger<SandboxCreation>(), time);
    }

    /// <summary>Reads the records and starts to take up, in the background, what they stand for.</summary>
    public async Task StartAsync(CancellationToken cancellation)
    {
        List<SandboxEntry> left = [];
        foreach (SandboxRecord record in await _store.LoadAsync(cancellation))
        {
            SandboxEntry entry = _register.Add(record, _admission.Hold(record.OwnerId));
            entry.Announced = record.State != SandboxStates.Creating;
            _creation.ArmExpiry(entry);
            left.Add(entry);
        }
        FaultPoints.Hit("start.records_loaded");
        _reconciling = Task.Run(() => _reconciler.RunAsync(left, _stopping.Token), CancellationToken.None);
    }

    /// <summary>
    /// 1 join it with its template and validate, 2 reserve capacity, waiting for it where the queue is on, 3 write the record as creating, 4 build without any lock, 5 write running, 6 arm expiry. A failure or a caller that
    /// goes away undoes all of it.
    /// </summary>
    /// <exception cref="StacyVMException">InvalidInput, NotFound for an unknown template, ProviderNotFound, ResourceLimit, ProviderUnavailable, StorageFull.</exception>
    public async Task<SandboxInfo> CreateAsync(SpawnRequest request, Caller caller, CancellationToken cancellation)
    {
        using CheckpointHold? held = _admission.Hold(request, caller);
        return await CreateAsync(request, held?.Origin, caller, cancellation);
    }

    /// <summary>As <see cref="CreateAsync(SpawnRequest, Caller, CancellationToken)"/>, from a checkpoint that the caller keeps meanwhile.</summary>
    internal async Task<SandboxInfo> CreateAsync(SpawnRequest request, SpawnOrigin? origin, Caller caller, CancellationToken cancellation)
    {
        // 1. and 2.
        AdmittedSpawn spawn = await _admission.AdmitAsync(request, origin, caller, cancellation);
        try
        {
            // 3. to 6.
            return await _creation.CreateAsync(spawn.Plan, spawn.Provider, spawn.Place, caller, cancellation);
        }
        catch (StacyVMException e) when (e.Kind == ProblemKind.ProviderUnavailable)
        {
            _providers.Doubt(spawn.Provider.Name);
            throw;
        }
    }

    /// <summary>Newest first, without destroyed ones.</summary>
    public IReadOnlyList<SandboxInfo> List(Caller caller)
    {
        List<SandboxInfo> infos = [.. _register.All.Where(entry => entry.VisibleTo(caller)).Select(entry => entry.Info)];
        infos.RemoveAll(info => info.State == SandboxStates.Destroyed);
        infos.Sort(static (a, b) => b.CreatedAt.CompareTo(a.CreatedAt) is not 0 and int order ? order : string.CompareOrdinal(a.Id, b.Id));
        return infos;
    }

    /// <exception cref="StacyVMException">SandboxNotFound, also for one the caller may not see and for a destroyed one.</exception>
    public SandboxInfo Get(string id, Caller caller) => Entry(id, caller).Info;

    /// <summary>New expiry = now + ttl, bounded by the maximum of the sandbox's owner. Once accepted it never loses against the expiry timer.</summary>
    public async Task<SandboxInfo> ExtendAsync(string id, TimeSpan ttl, Caller caller, CancellationToken cancellation)
    {
        SandboxEntry entry = Entry(id, caller);
        _admission.CheckExtension(entry.Record.OwnerId, ttl);
        SandboxInfo? extended = null;
        await _register.PromiseAsync(
            entry,
            record => record.State switch
            {
                SandboxStates.Creating => throw new StacyVMException(ProblemKind.Conflict, $"{id} is still being created: extend it when it runs"),
                SandboxStates.Destroying => throw new StacyVMException(ProblemKind.Conflict, $"{id} is being destroyed: its time cannot be extended any more"),
                SandboxStates.Destroyed => throw NotFound(id, caller),
                _ => record with { ExpiresAt = _journal.Now + ttl },
            },
            () =>
            {
                entry.Expiry?.Arm(entry.Record.ExpiresAt);
                extended = entry.Info;
            });
        return extended!;
    }

    /// <summary>
    /// Idempotent: an unknown or destroyed id succeeds, but for callers who are kept apart from others, to whom an unknown one is told. A failure leaves the record as destroying, with the reason, and
    /// is retried.
    /// </summary>
    public async Task DestroyAsync(string id, Caller caller, CancellationToken cancellation)
    {
        // One that the caller may not see is answered as one that does not exist.
        if (_register.TryFind(id, out SandboxEntry? entry) && entry.VisibleTo(caller))
            await _teardown.EndAsync(entry, "destroyed", caller).WaitAsync(cancellation);
        else if (caller.IsIsolated && !_register.WasDestroyed(id, caller))
            throw NotFound(id, caller);
    }

    /// <summary>Destroys what has expired, in parallel; says how many.</summary>
    public async Task<int> PruneAsync(Caller caller, CancellationToken cancellation)
    {
        DateTime now = _journal.Now;
        bool[] pruned = await Task.WhenAll(_register.All
            .Where(entry => entry.VisibleTo(caller) && entry.Record.ExpiresAt <= now)
            .Select(entry => PruneOneAsync(entry, caller))).WaitAsync(cancellation);
        return pruned.Count(done => done);
    }

    /// <summary>
    /// The living sandbox, for exec, files and ports. Right after a start of the server it waits until the sandbox has been taken up again.
    /// </summary>
    /// <exception cref="StacyVMException">
    /// SandboxNotFound, SandboxDestroyed, Conflict while it is being created or destroyed, SandboxGone when it has ended,
    /// ProviderUnavailable while its provider cannot be asked.
    /// </exception>
    public Task<ISandbox> LivingAsync(string id, Caller caller, CancellationToken cancellation) => FindAsync(id, caller, living: true, cancellation);

    /// <summary>The sandbox dead or alive, for its console and its usage: as <see cref="LivingAsync"/>, but one that has ended is no error.</summary>
    public Task<ISandbox> InspectAsync(string id, Caller caller, CancellationToken cancellation) => FindAsync(id, caller, living: false, cancellation);

    /// <summary>Lets it stand still until it is resumed. Its time runs on. Repeating it is not an error.</summary>
    /// <exception cref="StacyVMException">As <see cref="LivingAsync"/>; Unsupported when its level cannot.</exception>
    public Task<SandboxInfo> PauseAsync(string id, Caller caller, CancellationToken cancellation) => PauseOrResumeAsync(id, true, caller, cancellation);

    /// <summary>Lets it run again. Repeating it is not an error.</summary>
    /// <inheritdoc cref="PauseAsync"/>
    public Task<SandboxInfo> ResumeAsync(string id, Caller caller, CancellationToken cancellation) => PauseOrResumeAsync(id, false, caller, cancellation);

    /// <summary>The record, for accounting.</summary>
    internal SandboxRecord Record(string id, Caller caller) => Entry(id, caller).Record;

    /// <summary>A sandbox failed in use: it is asked about now and not at the next round.</summary>
    internal void Doubt(string id)
    {
        if (_register.TryFind(id, out SandboxEntry? entry))
            _ = Task.Run(() => _recovery.JudgeAsync(entry));
    }

    /// <summary>One round over all providers, now.</summary>
    internal Task ReconcileAsync() => Task.WhenAll(_providers.All.Select(_reconciler.ReconcileAsync));

    /// <summary>Takes no new work, gives up creates, waits for destroys that are under way. Running sandboxes live on.</summary>
    public async Task StopAsync(CancellationToken cancellation)
    {
        await _stopping.CancelAsync();
        _admission.Close();
        List<Task> open = [_reconciling];
        foreach (SandboxEntry entry in _register.All)
        {
            entry.Expiry?.Dispose();
            if (entry.Record.State == SandboxStates.Creating)
                open.Add(_teardown.EndInBackgroundAsync(entry, "the server is shutting down"));
            else if (entry.Ending is { IsCompleted: false } ending)
                open.Add(ending);
        }
        try
        {
            await Task.WhenAll(open).WaitAsync(DrainPatience, cancellation);
        }
        catch (Exception e) when (e is TimeoutException or OperationCanceledException or StacyVMException)
        {
            // Their records say where they stand; the next start goes on from there.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync(CancellationToken.None);
        _stopping.Dispose();
    }

    private async Task<ISandbox> FindAsync(string id, Caller caller, bool living, CancellationToken cancellation)
    {
        SandboxEntry entry = Entry(id, caller);
        if (entry.Record.State == SandboxStates.Creating)
            throw new StacyVMException(ProblemKind.Conflict, $"{id} is still being created");
        if (!entry.Settled.IsCompleted)
            await SettledAsync(entry, cancellation);
        SandboxRecord record = entry.Record;
        return record.State switch
        {
            SandboxStates.Destroying => throw new StacyVMException(ProblemKind.Conflict, $"{id} is being destroyed"),
            SandboxStates.Destroyed => throw NotFound(id, caller),
            SandboxStates.Paused when living => throw new StacyVMException(ProblemKind.Conflict, $"{id} is paused: resume it first"),
            SandboxStates.Stopped when living || entry.Sandbox is null =>
                throw new StacyVMException(ProblemKind.SandboxGone, $"{id} has ended: {record.Reason}"),
            _ => entry.Sandbox ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{id}: {record.Reason}"),
        };
    }

    private async Task<SandboxInfo> PauseOrResumeAsync(string id, bool pause, Caller caller, CancellationToken cancellation)
    {
        await FindAsync(id, caller, living: false, cancellation);
        SandboxEntry entry = Entry(id, caller);
        try
        {
            await _standstill.ChangeAsync(entry, pause, caller, cancellation);
        }
        catch
        {
            // Whether it stands still is for its level to say.
            Doubt(id);
            throw;
        }
        return entry.Info;
    }

    private async Task SettledAsync(SandboxEntry entry, CancellationToken cancellation)
    {
        try
        {
            await entry.Settled.WaitAsync(RecoveryPatience, _time, cancellation);
        }
        catch (TimeoutException)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{entry.Id} is still being taken up after the start of the server; try again");
        }
    }

    private async Task<bool> PruneOneAsync(SandboxEntry entry, Caller caller)
    {
        try
        {
            return await _teardown.ExpireAsync(entry, caller);
        }
        catch (StacyVMException)
        {
            // Told by the attempt itself, which is repeated.
            return false;
        }
    }

    private SandboxEntry Entry(string id, Caller caller) =>
        _register.TryFind(id, out SandboxEntry? entry) && entry.VisibleTo(caller) && entry.Record.State != SandboxStates.Destroyed
            ? entry
            : throw NotFound(id, caller);

    private StacyVMException NotFound(string id, Caller caller) =>
        new(_register.WasDestroyed(id, caller) ? ProblemKind.SandboxDestroyed : ProblemKind.SandboxNotFound, id);
}
