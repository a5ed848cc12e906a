using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Providers;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// The end of sandboxes. A record leaves only when its runtime is gone: an attempt that fails leaves it <c>destroying</c> with the
/// reason, and is repeated for ever.
/// </summary>
internal sealed partial class Teardown(
    SandboxRegister register, ProviderRegistry providers, OperationJournal journal, ILogger<Teardown> log, TimeProvider time, CancellationToken stopping)
{
    /// <summary>An attempt that takes longer has failed; the provider may still be at it, and removing twice is allowed.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private const string ExpiredReason = "its time was up";

    /// <summary>Removals that one provider works on at a time: a thousand that expire in one moment are not a thousand calls at once.</summary>
    private const int AtATime = 32;

    private static readonly TimeSpan FirstPause = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, SemaphoreSlim> _turns = new();

    /// <summary>
    /// Removes a sandbox, or joins the attempt that is under way. Completes when it is gone, fails when this attempt fails; then the next ones run by
    /// themselves.
    /// </summary>
    public Task EndAsync(SandboxEntry entry, string reason, Caller caller)
    {
        // Outside the lock: what a create does on being given up may run right here.
        entry.Abandon();
        lock (entry)
        {
            if (entry.Ending is null or { IsFaulted: true } or { IsCanceled: true })
                entry.Ending = Task.Run(() => AttemptAsync(entry, reason, caller));
            return entry.Ending;
        }
    }

    /// <summary>
    /// Ends a sandbox whose time is up. The decision is taken under the gate, as an extension is: an extension that was accepted before it
    /// is seen here, one that comes after it is refused.
    /// </summary>
    /// <returns>False when it has been extended, or is being removed already.</returns>
    public async Task<bool> ExpireAsync(SandboxEntry entry, Caller caller)
    {
        bool expired = await register.ChangeAsync(entry, record =>
            record.State is SandboxStates.Creating or SandboxStates.Destroying or SandboxStates.Destroyed || record.ExpiresAt > journal.Now
                ? null
                : record with { State = SandboxStates.Destroying, Reason = ExpiredReason });
        if (!expired)
        {
            if (entry.Record.State is not (SandboxStates.Destroying or SandboxStates.Destroyed))
                entry.Expiry?.Arm(entry.Record.ExpiresAt);
            return false;
        }
        await EndAsync(entry, ExpiredReason, caller);
        return true;
    }

    /// <summary>As <see cref="EndAsync"/> where nobody waits: failures are in the record and the log.</summary>
    public async Task EndInBackgroundAsync(SandboxEntry entry, string reason)
    {
        try
        {
            await EndAsync(entry, reason, Caller.System);
        }
        catch (StacyVMException)
        {
            // Told by the attempt itself, which is repeated.
        }
    }

    /// <summary>
    /// 1 give up a create and wait for it, 2 write <c>destroying</c>, 3 let the provider remove it, 4 write <c>destroyed</c>, 5 give back the place, 6 tell.
    /// </summary>
    private async Task AttemptAsync(SandboxEntry entry, string reason, Caller caller)
    {
        long start = journal.Start();
        FaultPoints.Hit("destroy.begun");
        // 1. It has been told.
        if (entry.Record.State == SandboxStates.Creating)
            await entry.Settled;
        // 2.
        await register.ChangeAsync(entry, record =>
            record.State == SandboxStates.Destroying ? null : record with { State = SandboxStates.Destroying, Reason = reason });
        FaultPoints.Hit("destroy.record_written");
        // 3.
        try
        {
            await RemoveAsync(entry);
        }
        catch (Exception e)
        {
            StacyVMException problem = await FailedAsync(entry, e);
            journal.Count("destroy", entry.Record.Provider, start, problem);
            journal.Audit(caller, "sandbox.destroy", entry.Record, reason, problem, "");
            Retry(entry, reason);
            throw problem;
        }
        FaultPoints.Hit("destroy.removed");
        // 4. Nobody needs its environment any more, and there may be secrets in it.
        await register.ChangeAsync(entry, record => record with { State = SandboxStates.Destroyed, Reason = reason, Environment = null });
        FaultPoints.Hit("destroy.row_written");
        // 5.
        entry.Expiry?.Dispose();
        register.Remove(entry);
        entry.Place.Release();
        // 6.
        journal.Count("destroy", entry.Record.Provider, start, null);
        journal.Audit(caller, "sandbox.destroy", entry.Record, reason, null, "");
        if (entry.Announced)
            journal.Publish("sandbox.destroyed", entry.Record);
        Destroyed(log, entry.Id, entry.Record.Provider, reason, journal.Since(start).TotalMilliseconds);
    }

    private async Task RemoveAsync(SandboxEntry entry)
    {
        ISandboxProvider provider = providers.Find(entry.Record.Provider) ?? throw new StacyVMException(
            ProblemKind.ProviderUnavailable,
            $"{entry.Id} was made by provider {entry.Record.Provider}, which is not enabled: enable it, so that its runtime can be removed");
        SemaphoreSlim turn = _turns.GetOrAdd(provider.Name, static _ => new SemaphoreSlim(AtATime));
        await turn.WaitAsync();
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            // After a failure by the sandbox's own way, the provider removes whatever there is under its id.
            Task removing = entry.Sandbox is { } sandbox && !entry.Retrying
                ? sandbox.DestroyAsync(patience.Token)
                : provider.RemoveAsync(entry.Id, patience.Token);
            await removing.WaitAsync(patience.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{provider.Name} has not removed {entry.Id} within {GoDuration.Format(Patience)}");
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Puts the failure into the record; what the caller gets says that it is being repeated.</summary>
    private async Task<StacyVMException> FailedAsync(SandboxEntry entry, Exception error)
    {
        string cause = error is StacyVMException ? error.Message : $"{error.GetType().Name}: {error.Message}";
        await register.ChangeAsync(entry, record => record with { Reason = $"could not be removed: {cause}" });
        RemovalFailed(log, entry.Id, entry.Record.Provider, cause);
        var problem = new StacyVMException(
            (error as StacyVMException)?.Kind ?? ProblemKind.ProviderUnavailable,
            $"{entry.Id} could not be removed and stays destroying; this is repeated until it is gone ({cause})", error);
        journal.Publish("provider.failed", entry.Record, ("operation", "destroy"), ("provider", entry.Record.Provider), ("error", cause));
        return problem;
    }

    private void Retry(SandboxEntry entry, string reason)
    {
        lock (entry)
        {
            if (entry.Retrying)
                return;
            entry.Retrying = true;
        }
        _ = RetryAsync(entry, reason);
    }

    private async Task RetryAsync(SandboxEntry entry, string reason)
    {
        TimeSpan pause = FirstPause;
        while (!stopping.IsCancellationRequested && entry.Record.State != SandboxStates.Destroyed)
        {
            try
            {
                await Task.Delay(pause, time, stopping);
                pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                await EndAsync(entry, reason, Caller.System);
                return;
            }
            catch (OperationCanceledException) when (stopping.IsCancellationRequested)
            {
                return;
            }
            catch (StacyVMException)
            {
                // Told by the attempt itself.
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Information, EventName = "sandbox.destroyed", Message = "sandbox {Id} on {Provider} is gone ({Reason}), after {Ms:0.0} ms")]
    private static partial void Destroyed(ILogger log, string id, string provider, string reason, double ms);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "sandbox.destroy_failed", Message = "sandbox {Id} on {Provider} could not be removed, and is tried again: {Cause}")]
    private static partial void RemovalFailed(ILogger log, string id, string provider, string cause);
}
