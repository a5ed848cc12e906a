namespace StacyVM.Agent.Loop;

/// <summary>Deadlines of the loop. There are few at any time, so a list beats a heap.</summary>
internal sealed class Timers
{
    private readonly List<Timer> _armed = [];

    internal static long Now => Environment.TickCount64;

    /// <summary>Runs <paramref name="action"/> once, on the loop's thread.</summary>
    internal Timer Start(long milliseconds, Action action)
    {
        var timer = new Timer(Now + milliseconds, action);
        _armed.Add(timer);
        return timer;
    }

    internal void Stop(ref Timer? timer)
    {
        if (timer is not null)
            _armed.Remove(timer);
        timer = null;
    }

    /// <summary>For <c>epoll_wait</c>: -1 when nothing is armed.</summary>
    internal int MillisecondsToNext()
    {
        if (_armed.Count == 0)
            return -1;
        long next = long.MaxValue;
        foreach (Timer timer in _armed)
            next = Math.Min(next, timer.Due);
        return (int)Math.Clamp(next - Now, 0, int.MaxValue);
    }

    internal void RunDue()
    {
        if (_armed.Count == 0)
            return;
        long now = Now;
        // An action may start and stop others, so the list is searched anew after each.
        while (_armed.Find(t => t.Due <= now) is { } due)
        {
            _armed.Remove(due);
            due.Action();
        }
    }
}

/// <summary>A deadline and what happens at it.</summary>
internal sealed class Timer(long due, Action action)
{
    internal long Due { get; } = due;

    internal Action Action { get; } = action;
}
