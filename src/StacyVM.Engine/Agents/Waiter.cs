using System.Threading.Tasks.Sources;

namespace StacyVM.Engine.Agents;

/// <summary>
/// One awaiting party, woken without an allocation. Its owner arms and disarms it under the owner's own lock (<paramref name="gate"/>); whoever disarmed it,
/// and nobody else, completes it. The continuation runs on the completing thread: callers complete outside every lock.
/// </summary>
internal sealed class Waiter(object gate) : IValueTaskSource, IThreadPoolWorkItem
{
    // A field, not readonly: it is a mutable struct.
    private ManualResetValueTaskSourceCore<bool> _core;
    private bool _armed;

    /// <summary>Under the gate: a task that ends with the next completion.</summary>
    public ValueTask Arm()
    {
        if (_armed)
            throw new InvalidOperationException("two parties wait for one thing at once");
        _core.Reset();
        _armed = true;
        return new ValueTask(this, _core.Version);
    }

    /// <summary>Under the gate: true when the caller has to complete it.</summary>
    public bool Disarm()
    {
        bool armed = _armed;
        _armed = false;
        return armed;
    }

    /// <summary>Wakes the party on this thread.</summary>
    public void Execute() => _core.SetResult(true);

    /// <summary>Wakes the party on the thread pool.</summary>
    public void Queue() => ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);

    /// <summary>Waits for an armed task; cancellation disarms it.</summary>
    public async ValueTask WaitAsync(ValueTask armed, CancellationToken cancellation)
    {
        using CancellationTokenRegistration registration =
            cancellation.UnsafeRegister(static (waiter, token) => ((Waiter)waiter!).Cancel(token), this);
        await armed.ConfigureAwait(false);
    }

    void IValueTaskSource.GetResult(short token) => _core.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Cancel(CancellationToken cancellation)
    {
        lock (gate)
        {
            if (!Disarm())
                return;
        }
        _core.SetException(new OperationCanceledException(cancellation));
    }
}
