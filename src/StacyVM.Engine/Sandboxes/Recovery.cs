using Microsoft.Extensions.Logging;
using StacyVM.Engine.Providers;
using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Brings one record in line with what its provider says of it. Only a clear answer of the provider ends a life; where it cannot be asked
/// the sandbox is <c>unhealthy</c>, with the reason, until it can.
/// </summary>
internal sealed partial class Recovery(
    SandboxRegister register, OperationJournal journal, ILogger<Recovery> log, TimeProvider time, CancellationToken stopping)
{
    /// <summary>A provider that takes longer than this has not answered.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Takes up a sandbox that has no running counterpart in this process yet.</summary>
    /// <param name="entry">Whose.</param>
    /// <param name="provider">Its provider.</param>
    /// <param name="listed">Its line of the provider's list, when that has been read.</param>
    public async Task RecoverAsync(SandboxEntry entry, ISandboxProvider provider, ListedRuntime? listed = null)
    {
        if (entry.Sandbox is not null || Interlocked.Exchange(ref entry.Recovering, 1) == 1)
            return;
        try
        {
            if ((entry.Record.Handle ?? listed?.Handle) is not { } handle)
            {
                await StoppedAsync(entry, "nothing is known by which its runtime could be found again");
                return;
            }
            ISandbox? sandbox;
            RuntimeStatus? status;
            try
            {
                sandbox = await AskAsync(cancellation => provider.RecoverAsync(entry.Id, handle, cancellation));
                // What is there may have ended all the same: a container that exited is still a container.
                status = sandbox is null ? null : await AskAsync(sandbox.StatusAsync);
            }
            catch (Exception e) when (!stopping.IsCancellationRequested)
            {
                await UnhealthyAsync(entry, $"{provider.Name} cannot say whether it lives: {e.Message}");
                return;
            }
            if (sandbox is null)
            {
                await StoppedAsync(entry, "its runtime no longer exists: it ended while the server was away, or was removed by someone else");
                return;
            }
            entry.Attach(sandbox);
            if (status is { State: RuntimeState.Paused })
            {
                await PausedAsync(entry, entry.Record);
                return;
            }
            if (status is { State: not RuntimeState.Running })
            {
                await StoppedAsync(entry, status.Reason ?? "its runtime has stopped");
                return;
            }
            if (await register.ChangeAsync(entry, record => IsEnding(record) ? null : record with { State = SandboxStates.Running, Reason = "" }))
            {
                Recovered(log, entry.Id, provider.Name);
                journal.Publish("reconcile.action", entry.Record, ("action", "recovered"), ("provider", provider.Name));
            }
            else
                await LetGoAsync(sandbox);
            FaultPoints.Hit("start.recovered");
        }
        finally
        {
            Volatile.Write(ref entry.Recovering, 0);
            entry.Settle();
        }
    }

    /// <summary>Asks the level about a sandbox that this process works with, and believes only a clear answer.</summary>
    /// <param name="entry">Whose.</param>
    /// <param name="listed">Whether its provider's list has it as running; null when the list has not been asked.</param>
    public async Task JudgeAsync(SandboxEntry entry, bool? listed = null)
    {
        if (entry.Sandbox is not { } sandbox || IsEnding(entry.Record))
            return;
        SandboxRecord before = entry.Record;
        RuntimeStatus status;
        try
        {
            status = await AskAsync(sandbox.StatusAsync);
        }
        catch (Exception e) when (!stopping.IsCancellationRequested)
        {
            await UnhealthyAsync(entry, $"{entry.Record.Provider} cannot say whether it lives: {e.Message}");
            return;
        }
        switch (status.State)
        {
            case RuntimeState.Running:
                if (listed == false)
                    Disagrees(log, entry.Record.Provider, entry.Id);
                await AliveAsync(entry, before);
                break;
            case RuntimeState.Paused:
                await PausedAsync(entry, before);
                break;
            case RuntimeState.Stopped:
                await StoppedAsync(entry, status.Reason ?? "its runtime has stopped");
                break;
            case RuntimeState.Gone:
                await StoppedAsync(entry, status.Reason ?? "its runtime no longer exists: it was removed by someone else");
                break;
        }
    }

    /// <summary>It is known to run, unless it has been paused or resumed since the question.</summary>
    private Task AliveAsync(SandboxEntry entry, SandboxRecord before) => register.ChangeAsync(entry, record =>
        IsEnding(record) || record.State == SandboxStates.Running || record.State != before.State ? null : record with { State = SandboxStates.Running, Reason = "" });

    /// <summary>It is known to stand still, likewise.</summary>
    private async Task PausedAsync(SandboxEntry entry, SandboxRecord before) => Tell(
        await register.ChangeAsync(entry, record =>
            IsEnding(record) || record.State == SandboxStates.Paused || record.State != before.State ? null : record with { State = SandboxStates.Paused, Reason = "" }),
        entry, "marked_paused");

    /// <summary>Nothing can be said about it now.</summary>
    public async Task UnhealthyAsync(SandboxEntry entry, string reason)
    {
        // What is known to have ended stays so.
        bool changed = await register.ChangeAsync(entry, record =>
            IsEnding(record) || record.State == SandboxStates.Stopped || (record.State == SandboxStates.Unhealthy && record.Reason == reason)
                ? null
                : record with { State = SandboxStates.Unhealthy, Reason = reason });
        Tell(changed, entry, "marked_unhealthy");
    }

    /// <summary>Its provider is not enabled any more.</summary>
    public async Task OrphanedAsync(SandboxEntry entry)
    {
        string reason = $"provider {entry.Record.Provider} is not enabled: enable it to use or remove this sandbox";
        Tell(await register.ChangeAsync(entry, record => IsEnding(record) ? null : record with { State = SandboxStates.Error, Reason = reason }), entry, "marked_error");
        entry.Settle();
    }

    /// <summary>It has been removed while it was taken up; whatever was opened for it is closed.</summary>
    private static async Task LetGoAsync(ISandbox sandbox)
    {
        try
        {
            await sandbox.DestroyAsync(CancellationToken.None);
        }
        catch (StacyVMException)
        {
            // The removal itself has its own retries.
        }
    }

    private async Task StoppedAsync(SandboxEntry entry, string reason) => Tell(
        await register.ChangeAsync(entry, record =>
            IsEnding(record) || record.State == SandboxStates.Stopped ? null : record with { State = SandboxStates.Stopped, Reason = reason }),
        entry, "marked_stopped");

    private void Tell(bool changed, SandboxEntry entry, string action)
    {
        if (!changed)
            return;
        Marked(log, entry.Id, entry.Record.State, entry.Record.Reason);
        journal.Publish("reconcile.action", entry.Record, ("action", action), ("provider", entry.Record.Provider), ("reason", entry.Record.Reason));
    }

    /// <summary>A question to a provider: answered in time, failed, or dropped because the server ends.</summary>
    /// <exception cref="OperationCanceledException">The server ends; nothing is known.</exception>
    public async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> question)
    {
        using var patience = new CancellationTokenSource(Patience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, stopping);
        try
        {
            return await question(either.Token).WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !stopping.IsCancellationRequested)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"no answer within {GoDuration.Format(Patience)}");
        }
    }

    private static bool IsEnding(SandboxRecord record) =>
        record.State is SandboxStates.Creating or SandboxStates.Destroying or SandboxStates.Destroyed;

    [LoggerMessage(Level = LogLevel.Information, EventName = "sandbox.recovered", Message = "sandbox {Id} on {Provider} lives and has been taken up again")]
    private static partial void Recovered(ILogger log, string id, string provider);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "sandbox.marked", Message = "sandbox {Id} is {State}: {Reason}")]
    private static partial void Marked(ILogger log, string id, string state, string reason);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "provider.disagrees", Message = "{Provider} says that sandbox {Id} runs, and does not list it as running; it is kept")]
    private static partial void Disagrees(ILogger log, string provider, string id);
}
