namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Calls back when a moment has passed on the wall clock. It only asks: whether the sandbox has really expired is decided by the callee,
/// under the sandbox's gate, so that a timer that fires beside an extension does no harm.
/// </summary>
internal sealed class ExpiryTimer : IDisposable
{
    // A timer takes at most 49 days; longer lives are waited for in parts.
    private static readonly TimeSpan Longest = TimeSpan.FromDays(30);

    private readonly TimeProvider _time;
    private readonly ITimer _timer;

    public ExpiryTimer(TimeProvider time, Action due)
    {
        _time = time;
        _timer = time.CreateTimer(static state => ((Action)state!)(), due, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Replaces whatever was armed before.</summary>
    public void Arm(DateTime expiresAt)
    {
        TimeSpan left = expiresAt - _time.GetUtcNow().UtcDateTime;
        // Timers count whole milliseconds and cut off: without the addition one would fire just before its moment.
        _timer.Change(left <= TimeSpan.Zero ? TimeSpan.Zero : left < Longest ? left + TimeSpan.FromMilliseconds(1) : Longest, Timeout.InfiniteTimeSpan);
    }

    public void Dispose() => _timer.Dispose();
}
