using Microsoft.Extensions.Logging;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Checkpoints;

/// <summary>
/// Holds the records of checkpoints against what providers keep, at start and every few minutes: what an earlier process left half made is removed, files
/// without a record are removed, a record without files says so.
/// </summary>
internal sealed partial class CheckpointReconciler(
    CheckpointCatalog catalog, CheckpointWork work, ProviderRegistry providers, ILogger<CheckpointReconciler> log, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(5);

    /// <summary>A provider that could not be asked is asked again sooner.</summary>
    private static readonly TimeSpan SoonerPeriod = TimeSpan.FromSeconds(5);

    /// <param name="left">The records of earlier processes.</param>
    /// <param name="stopping">Ends it.</param>
    public Task RunAsync(IReadOnlyList<CheckpointRecord> left, CancellationToken stopping)
    {
        HashSet<string> abandoned = [.. left.Where(record => record.State == CheckpointStates.Creating || record.Name.Length == 0).Select(record => record.Id)];
        return Task.WhenAll(providers.All.Where(provider => provider is ICheckpoints).Select(provider => LoopAsync(provider, abandoned, stopping)));
    }

    /// <summary>1 note our records, 2 ask the provider, 3 finish what was broken off, 4 remove what nobody knows, 5 mark what has lost its files.</summary>
    /// <returns>False when something has to be tried again soon.</returns>
    internal async Task<bool> ReconcileAsync(ISandboxProvider provider, IReadOnlySet<string> abandoned, CancellationToken cancellation)
    {
        // 1. Before the list: one that is made meanwhile is not judged by a list that cannot have it.
        List<CheckpointRecord> known = [.. catalog.All.Where(record => record.Provider == provider.Name)];
        // 2.
        var level = (ICheckpoints)provider;
        HashSet<string> listed = [.. await level.ListCheckpointsAsync(cancellation)];
        bool done = true;
        // 3.
        foreach (CheckpointRecord record in known.Where(record => record.State == CheckpointStates.Deleting || abandoned.Contains(record.Id)))
        {
            await work.RemoveInBackgroundAsync(record);
            done &= !catalog.Has(record.Id);
        }
        // 4. Records are written before anything is saved, and ids are never used twice.
        foreach (string id in listed.Where(id => !catalog.Has(id)))
        {
            await level.RemoveCheckpointAsync(id, cancellation);
            OrphanRemoved(log, id, provider.Name);
        }
        // 5.
        foreach (CheckpointRecord record in known.Where(record => !abandoned.Contains(record.Id)))
        {
            bool lost = !listed.Contains(record.Id);
            CheckpointRecord? marked = await catalog.ChangeAsync(
                record.Id,
                now => now.State == (lost ? CheckpointStates.Ready : CheckpointStates.Missing) && now.State == record.State
                    ? now with { State = lost ? CheckpointStates.Missing : CheckpointStates.Ready, Reason = lost ? $"{provider.Name} does not have it any more: it was removed by someone else" : "" }
                    : null,
                time.GetUtcNow().UtcDateTime);
            if (marked is not null)
                Marked(log, record.Id, marked.State);
        }
        return done;
    }

    private async Task LoopAsync(ISandboxProvider provider, IReadOnlySet<string> abandoned, CancellationToken stopping)
    {
        bool told = false;
        while (!stopping.IsCancellationRequested)
        {
            bool done = false;
            try
            {
                done = await ReconcileAsync(provider, abandoned, stopping);
                told = false;
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                // A level that nobody uses may be away for days.
                if (!told && catalog.All.Any(record => record.Provider == provider.Name))
                    NotAsked(log, provider.Name, e.Message);
                told = true;
            }
            catch (OperationCanceledException)
            {
                return;
            }
            await Task.Delay(done ? Period : SoonerPeriod, time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, EventName = "checkpoint.orphan_removed", Message = "checkpoint {Id} on {Provider} belonged to no record and has been removed")]
    private static partial void OrphanRemoved(ILogger log, string id, string provider);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "checkpoint.marked", Message = "checkpoint {Id} is {State}")]
    private static partial void Marked(ILogger log, string id, string state);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "checkpoint.not_asked", Message = "{Provider} cannot be asked which checkpoints it keeps: {Cause}")]
    private static partial void NotAsked(ILogger log, string provider, string cause);
}
