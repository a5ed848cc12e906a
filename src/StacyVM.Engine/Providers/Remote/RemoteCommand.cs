using System.Diagnostics;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Remote;

/// <summary>The life of a command that is carried by one request: what may cut it off, and how its end then reads.</summary>
internal sealed class RemoteCommand : IDisposable
{
    private const int KilledCode = 128 + 9;

    private readonly CancellationTokenSource _life = new();
    private readonly TaskCompletionSource<ExecExit> _exit = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _sandbox;
    private readonly long _start = Stopwatch.GetTimestamp();
    private readonly Timer? _timer;
    private int _cut;

    /// <param name="sandbox">For messages.</param>
    /// <param name="timeout">It is cut off after so long. Zero: never.</param>
    public RemoteCommand(string sandbox, TimeSpan timeout)
    {
        _sandbox = sandbox;
        // A timer takes at most 49 days.
        if (timeout > TimeSpan.Zero && timeout < TimeSpan.FromDays(45))
            _timer = new Timer(_ => CutOff(Cut.TimedOut), null, timeout, Timeout.InfiniteTimeSpan);
        // An exit that nobody asks for is no unobserved failure.
        _exit.Task.ContinueWith(static task => task.Exception, TaskScheduler.Default);
    }

    private enum Cut
    {
        None,
        TimedOut,
        Killed,
        Lost,
    }

    /// <summary>Called once, when it is over.</summary>
    public event Action? Ended;

    /// <summary>Cancelled when the request has to be given up.</summary>
    public CancellationToken Life => _life.Token;

    public Task<ExecExit> Exit => _exit.Task;

    public bool IsCutOff => Volatile.Read(ref _cut) != (int)Cut.None;

    public void Kill() => CutOff(Cut.Killed);

    /// <summary>Its time was up, as the other side says.</summary>
    public void TimeOut() => CutOff(Cut.TimedOut);

    /// <summary>The sandbox is gone.</summary>
    public void Lose() => CutOff(Cut.Lost);

    /// <summary>It ended by itself.</summary>
    public void End(int code)
    {
        // What came after the cut is of no account.
        if (!IsCutOff)
            _exit.TrySetResult(new ExecExit(code, false, false, Stopwatch.GetElapsedTime(_start)));
        Finish();
    }

    /// <summary>The request failed, for another reason than the cut.</summary>
    public void Fail(Exception failure)
    {
        _exit.TrySetException(failure);
        Finish();
    }

    /// <summary>Completes the exit of what was cut off; throws when that was by the loss of the sandbox.</summary>
    public void EndAsCutOff()
    {
        var cut = (Cut)Volatile.Read(ref _cut);
        if (cut == Cut.Lost)
        {
            var gone = new StacyVMException(ProblemKind.SandboxGone, $"sandbox {_sandbox}: it has been removed");
            Fail(gone);
            throw gone;
        }
        _exit.TrySetResult(new ExecExit(KilledCode, cut == Cut.TimedOut, cut == Cut.Killed, Stopwatch.GetElapsedTime(_start)));
        Finish();
    }

    public void Dispose()
    {
        CutOff(Cut.Killed);
        try
        {
            EndAsCutOff();
        }
        catch (StacyVMException)
        {
            // Told by the exit.
        }
    }

    private void CutOff(Cut cut)
    {
        if (!_exit.Task.IsCompleted && Interlocked.CompareExchange(ref _cut, (int)cut, (int)Cut.None) == (int)Cut.None)
            _life.Cancel();
    }

    private void Finish()
    {
        _timer?.Dispose();
        Interlocked.Exchange(ref Ended, null)?.Invoke();
    }
}
