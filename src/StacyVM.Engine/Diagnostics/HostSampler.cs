using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Diagnostics;

/// <summary>
/// What the machine is doing, sampled each second while somebody asks. It begins with the first question and ends by itself a while after the last.
/// </summary>
/// <param name="read">Takes one reading.</param>
/// <param name="time">The clock.</param>
internal sealed class HostSampler(Func<HostReading> read, TimeProvider time) : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromSeconds(1);

    /// <summary>Without a question for this long, sampling ends.</summary>
    private static readonly TimeSpan Interest = TimeSpan.FromSeconds(15);

    private readonly Lock _lock = new();
    private ITimer? _timer;
    private HostReading? _last;
    private long _lastAt;
    private long _askedAt;
    private SystemStats _stats = new() { CpuPct = 0, MemPct = 0, DiskPct = 0, NetRxBps = 0, NetTxBps = 0, Load1 = 0 };

    /// <summary>Whether it is at work.</summary>
    public bool Sampling
    {
        get
        {
            lock (_lock)
                return _timer is not null;
        }
    }

    /// <summary>The last sample; the first one knows no rates yet.</summary>
    public SystemStats Current()
    {
        lock (_lock)
        {
            _askedAt = time.GetTimestamp();
            if (_timer is null)
            {
                _last = null;
                Sample();
                _timer = time.CreateTimer(_ => Tick(), null, Period, Period);
            }
            return _stats;
        }
    }

    public void Dispose()
    {
        lock (_lock)
            Stop();
    }

    private void Tick()
    {
        lock (_lock)
        {
            if (_timer is null)
                return;
            if (time.GetElapsedTime(_askedAt) >= Interest)
                Stop();
            else
                Sample();
        }
    }

    private void Stop()
    {
        _timer?.Dispose();
        _timer = null;
    }

    private void Sample()
    {
        HostReading now = read();
        long at = time.GetTimestamp();
        double seconds = _last is null ? 0 : time.GetElapsedTime(_lastAt, at).TotalSeconds;
        long ticks = now.AllTicks - (_last?.AllTicks ?? 0);
        _stats = new SystemStats
        {
            CpuPct = _last is null || ticks <= 0 ? 0 : Share(100.0 * (now.BusyTicks - _last.BusyTicks) / ticks),
            MemPct = Share(now.MemoryPercent),
            DiskPct = Share(now.DiskPercent),
            NetRxBps = Rate(now.ReceivedBytes, _last?.ReceivedBytes, seconds),
            NetTxBps = Rate(now.SentBytes, _last?.SentBytes, seconds),
            Load1 = now.Load,
        };
        (_last, _lastAt) = (now, at);
    }

    private static double Share(double percent) => Math.Round(Math.Clamp(percent, 0, 100), 2);

    // An interface that goes away takes its counter with it: that is no negative traffic.
    private static double Rate(long now, long? before, double seconds) =>
        before is { } earlier && seconds > 0 ? Math.Round(Math.Max(0, now - earlier) / seconds, 1) : 0;
}
