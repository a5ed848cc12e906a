using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Holds records against what providers list: at start and every minute, for each provider by itself, so that one that hangs delays
/// no other.
/// </summary>
internal sealed partial class Reconciler(
    SandboxRegister register, ProviderRegistry providers, Recovery recovery, Teardown teardown, ILogger<Reconciler> log, TimeProvider time)
{
    private static readonly TimeSpan Period = TimeSpan.FromMinutes(1);

    /// <summary>A provider that could not be asked is asked again sooner.</summary>
    private static readonly TimeSpan SoonerPeriod = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, bool> _silent = new();

    /// <summary>Takes up what an earlier process left, then holds everything against the providers, until the token ends it.</summary>
    /// <param name="left">The records of earlier processes; those that this one makes in the meantime are not among them.</param>
    /// <param name="stopping">Ends the loops.</param>
    public async Task RunAsync(IReadOnlyList<SandboxEntry> left, CancellationToken stopping)
    {
        foreach (SandboxEntry entry in left)
        {
            // A create that a restart has cut off: nobody waits for it, whatever has come of it.
            if (entry.Record.State == SandboxStates.Creating)
            {
                entry.Settle();
                _ = teardown.EndInBackgroundAsync(entry, "the server ended while it was being created");
            }
            else if (entry.Record.State == SandboxStates.Destroying)
            {
                entry.Settle();
                _ = teardown.EndInBackgroundAsync(entry, "destroyed");
            }
            else if (providers.Find(entry.Record.Provider) is null)
                await recovery.OrphanedAsync(entry);
        }
        await Task.WhenAll(providers.All.Select(provider => LoopAsync(provider, left, stopping)));
    }

    /// <summary>
    /// 1 note our records, 2 ask the provider for its list, 3 remove what nobody knows, 4 take up, judge or end each record.
    /// </summary>
    /// <returns>False when the provider could not be asked.</returns>
    public async Task<bool> ReconcileAsync(ISandboxProvider provider)
    {
        // 1. Before the list: a sandbox that is made while the list is read is not judged by a list that cannot have it.
        long begun = time.GetTimestamp();
        List<SandboxEntry> known = [.. register.All.Where(entry => entry.Record.Provider == provider.Name)];
        // 2.
        Dictionary<string, ListedRuntime> listed;
        try
        {
            listed = (await recovery.AskAsync(provider.ListAsync)).ToDictionary(runtime => runtime.Id);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            await NotAskedAsync(provider, known, e.Message);
            return false;
        }
        _silent.TryRemove(provider.Name, out _);
        FaultPoints.Hit("start.listed");
        // 3. Records are written before anything is built, so what has none is a leftover; ids are never used twice. What has been destroyed
        // since the list was read is not one.
        HashSet<string> ours = [.. known.Select(entry => entry.Id)];
        await Task.WhenAll(listed.Keys.Where(id => !ours.Contains(id) && !register.TryFind(id, out _) && !register.LeftSince(begun, id)).Select(id => RemoveOrphanAsync(provider, id)));
        // 4.
        await Task.WhenAll(known.Select(entry => SettleAsync(entry, provider, listed.GetValueOrDefault(entry.Id))));
        return true;
    }

    private async Task SettleAsync(SandboxEntry entry, ISandboxProvider provider, ListedRuntime? listed)
    {
        SandboxRecord record = entry.Record;
        if (record.State is SandboxStates.Creating or SandboxStates.Destroying or SandboxStates.Destroyed)
            return;
        // Timers count elapsed time; this counts by the clock, which a suspended machine or a correction moves.
        if (record.ExpiresAt <= time.GetUtcNow().UtcDateTime)
            entry.Expiry?.Arm(record.ExpiresAt);
        else if (entry.Sandbox is null)
        {
            if (record.State != SandboxStates.Stopped || listed is { Running: true })
                await recovery.RecoverAsync(entry, provider, listed);
        }
        // A list does not tell who stands still.
        else if (listed is not { Running: true } || record.State != SandboxStates.Running)
            await recovery.JudgeAsync(entry, listed is { Running: true });
    }

    private async Task LoopAsync(ISandboxProvider provider, IReadOnlyList<SandboxEntry> left, CancellationToken stopping)
    {
        // Clients wait for the recovery of what they use, so it comes before the list.
        await Task.WhenAll(left
            .Where(entry => entry.Record.Provider == provider.Name && !entry.Settled.IsCompleted)
            .Select(entry => TakeUpAsync(entry, provider)));
        while (!stopping.IsCancellationRequested)
        {
            bool asked;
            try
            {
                asked = await ReconcileAsync(provider);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                RoundFailed(log, e, provider.Name);
                asked = false;
            }
            try
            {
                await Task.Delay(asked ? Period : SoonerPeriod, time, stopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    private async Task TakeUpAsync(SandboxEntry entry, ISandboxProvider provider)
    {
        // What has ended or is about to be removed is not taken up.
        if (entry.Record.State != SandboxStates.Stopped && entry.Record.ExpiresAt > time.GetUtcNow().UtcDateTime)
            await recovery.RecoverAsync(entry, provider);
        entry.Settle();
    }

    private async Task NotAskedAsync(ISandboxProvider provider, List<SandboxEntry> known, string cause)
    {
        // A level that nobody uses is told once, by its probe; one that is down for hours is told when it goes down.
        if (_silent.TryAdd(provider.Name, true) && known.Count > 0)
            NotAsked(log, provider.Name, cause);
        providers.Doubt(provider.Name);
        await Task.WhenAll(known.Select(entry => recovery.UnhealthyAsync(entry, $"{provider.Name} cannot be asked: {cause}")));
    }

    private async Task RemoveOrphanAsync(ISandboxProvider provider, string id)
    {
        try
        {
            await recovery.AskAsync(async cancellation =>
            {
                await provider.RemoveAsync(id, cancellation);
                return true;
            });
            OrphanRemoved(log, id, provider.Name);
            FaultPoints.Hit("start.orphan_removed");
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // It is listed again in the next round.
            OrphanStays(log, id, provider.Name, e.Message);
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, EventName = "provider.not_asked", Message = "{Provider} cannot be asked what it runs: {Cause}; its sandboxes are unhealthy until it can")]
    private static partial void NotAsked(ILogger log, string provider, string cause);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "sandbox.orphan_removed", Message = "{Id} on {Provider} belonged to no record and has been removed")]
    private static partial void OrphanRemoved(ILogger log, string id, string provider);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "sandbox.orphan_stays", Message = "{Id} on {Provider} belongs to no record and could not be removed, and is tried again: {Cause}")]
    private static partial void OrphanStays(ILogger log, string id, string provider, string cause);

    [LoggerMessage(Level = LogLevel.Error, EventName = "reconcile.failed", Message = "reconciling {Provider} failed and is repeated")]
    private static partial void RoundFailed(ILogger log, Exception error, string provider);
}
