using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Checkpoints;

/// <summary>The making and removing of checkpoints. A record is written before anything is saved and leaves after everything is removed.</summary>
internal sealed partial class CheckpointWork(
    CheckpointCatalog catalog, SandboxDirectory sandboxes, ProviderRegistry providers, SecretBox box, OperationJournal journal, ILogger<CheckpointWork> log)
{
    /// <summary>1 the sandbox and its level, 2 write <c>creating</c>, 3 save, 4 write <c>ready</c>, 5 tell. What fails leaves nothing.</summary>
    /// <param name="id">A running sandbox.</param>
    /// <param name="name">Unique for its owner.</param>
    /// <param name="caller">Who asks.</param>
    /// <param name="cancellation">Abandons it.</param>
    /// <exception cref="StacyVMException">InvalidInput, SandboxNotFound, Conflict, ResourceLimit, Unsupported, StorageFull.</exception>
    public async Task<CheckpointInfo> CreateAsync(string id, string? name, Caller caller, CancellationToken cancellation)
    {
        // Who may not see the sandbox learns nothing, not even that the name is wrong.
        sandboxes.Get(id, caller);
        CheckpointRecord made = await SaveAsync(id, CheckpointName.Check(name), caller, cancellation);
        journal.Publish("checkpoint.created", made);
        return made.ToInfo();
    }

    /// <summary>Sandboxes that were started from it live on.</summary>
    /// <exception cref="StacyVMException">NotFound; Conflict while something is started from it; ProviderUnavailable when it could not be removed, which is repeated.</exception>
    public async Task DeleteAsync(string name, Caller caller, CancellationToken cancellation)
    {
        CheckpointRecord record = catalog.Get(name, caller);
        if (record.State == CheckpointStates.Creating)
            throw new StacyVMException(ProblemKind.Conflict, $"checkpoint {name} is still being made");
        try
        {
            if (await catalog.CondemnAsync(record.Id, journal.Now) is not { } condemned)
                return;
            await RemoveAsync(condemned).WaitAsync(cancellation);
        }
        catch (Exception e)
        {
            journal.Audit(caller, "checkpoint.delete", record, e);
            throw;
        }
        journal.Audit(caller, "checkpoint.delete", record, null);
        journal.Publish("checkpoint.deleted", record);
    }

    /// <summary>Saves a sandbox under a name, or under none for a fork.</summary>
    internal async Task<CheckpointRecord> SaveAsync(string id, string name, Caller caller, CancellationToken cancellation)
    {
        long start = journal.Start();
        // 1.
        await sandboxes.LivingAsync(id, caller, cancellation);
        SandboxRecord sandbox = sandboxes.Record(id, caller);
        ICheckpoints level = LevelOf(sandbox);
        DateTime now = journal.Now;
        string checkpoint = "cp-" + RandomNumberGenerator.GetHexString(16, lowercase: true);
        var record = new CheckpointRecord
        {
            Id = checkpoint,
            Name = name,
            State = CheckpointStates.Creating,
            Provider = sandbox.Provider,
            Content = level.Content == CheckpointContent.Memory ? "memory" : "files",
            Image = sandbox.Image,
            MemoryMb = sandbox.MemoryMb,
            Vcpus = sandbox.Vcpus,
            Metadata = sandbox.Metadata,
            OwnerId = sandbox.OwnerId,
            TenantId = sandbox.TenantId,
            ParentSandbox = id,
            ParentCheckpoint = sandbox.ParentCheckpoint,
            Environment = sandbox.Environment?.For(checkpoint, id, box),
            CreatedAt = now,
            UpdatedAt = now,
        };
        // 2.
        await catalog.AddAsync(record);
        FaultPoints.Hit("checkpoint.record_written");
        CheckpointRecord? ready;
        try
        {
            // 3.
            long bytes = await level.SaveAsync(id, checkpoint, cancellation);
            FaultPoints.Hit("checkpoint.saved");
            cancellation.ThrowIfCancellationRequested();
            // 4.
            ready = await catalog.ChangeAsync(checkpoint, made => made with { State = CheckpointStates.Ready, Bytes = bytes }, journal.Now);
        }
        catch (Exception e)
        {
            journal.Count("checkpoint", sandbox.Provider, start, e);
            journal.Audit(caller, "checkpoint.create", record, e);
            SaveFailed(log, id, e.Message);
            await RemoveInBackgroundAsync(record);
            throw;
        }
        // 5.
        journal.Count("checkpoint", sandbox.Provider, start, null);
        journal.Audit(caller, "checkpoint.create", record, null);
        Saved(log, id, name.Length == 0 ? "a fork" : name, ready!.Bytes, journal.Since(start).TotalMilliseconds);
        return ready;
    }

    /// <summary>Removes the files and then the record, which stays <c>deleting</c> until that succeeds.</summary>
    internal async Task RemoveAsync(CheckpointRecord record)
    {
        if (providers.Find(record.Provider) is not ICheckpoints level)
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"checkpoint {record.Name} is kept by {record.Provider}, which is not enabled: enable it, so that its files can be removed");
        await level.RemoveCheckpointAsync(record.Id, CancellationToken.None);
        FaultPoints.Hit("checkpoint.removed");
        await catalog.RemoveAsync(record.Id);
    }

    /// <summary>Where nobody waits: what fails is repeated with the next reconciliation.</summary>
    internal async Task RemoveInBackgroundAsync(CheckpointRecord record)
    {
        try
        {
            if (await catalog.CondemnAsync(record.Id, journal.Now) is { } condemned)
                await RemoveAsync(condemned);
        }
        catch (Exception e) when (e is StacyVMException or IOException or UnauthorizedAccessException)
        {
            RemovalFailed(log, record.Id, record.Provider, e.Message);
        }
    }

    private ICheckpoints LevelOf(SandboxRecord sandbox) => providers.Find(sandbox.Provider) as ICheckpoints ?? throw new StacyVMException(
        ProblemKind.Unsupported, $"{sandbox.Provider} has no checkpoints; {Those(providers.All.Where(provider => provider is ICheckpoints))}");

    private static string Those(IEnumerable<ISandboxProvider> able) =>
        able.Select(provider => provider.Name).ToList() is { Count: > 0 } names ? $"of the providers here, {string.Join(", ", names)} can" : "no provider here can";

    [LoggerMessage(Level = LogLevel.Information, EventName = "checkpoint.created", Message = "sandbox {Id} is saved as {Name}: {Bytes} bytes, after {Ms:0.0} ms")]
    private static partial void Saved(ILogger log, string id, string name, long bytes, double ms);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "checkpoint.create_failed", Message = "sandbox {Id} could not be saved: {Problem}")]
    private static partial void SaveFailed(ILogger log, string id, string problem);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "checkpoint.delete_failed", Message = "checkpoint {Id} on {Provider} could not be removed, and is tried again: {Cause}")]
    private static partial void RemovalFailed(ILogger log, string id, string provider, string cause);
}
