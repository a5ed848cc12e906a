using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>A command with a client: its session, and the accounting that is done when it ends.</summary>
internal sealed class RunningCommand(IExecSession session, CommandAccount? account, bool detached, Task feeding) : IAsyncDisposable
{
    private int _disposed;

    public IExecSession Session { get; } = session;

    /// <summary>
    /// Records how it ended; disposes the session. A command that still runs is killed with its tree, or let go of when it was started in the
    /// background.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref _disposed, 1) == 1)
            return;
        bool ended = Session.Exit.IsCompleted;
        try
        {
            await Session.DisposeAsync();
        }
        finally
        {
            await feeding;
            await CloseAsync(ended);
        }
    }

    private async Task CloseAsync(bool ended)
    {
        if (account is null)
            return;
        if (!ended && detached)
        {
            account.LeftRunning(Session.Process);
            return;
        }
        try
        {
            if (!ended)
                throw new StacyVMException(ProblemKind.Conflict, "its client went away, and it was killed");
            account.Ended(await Session.Exit);
        }
        catch (Exception e)
        {
            account.Failed(e);
        }
    }
}
