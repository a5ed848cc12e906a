using System.Diagnostics;

namespace StacyVM.Engine.Agents;

/// <summary>Turns a growing processor time into a share of one processor, over the time since the sample before.</summary>
internal sealed class UsageSampler
{
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(50);

    private readonly object _gate = new();
    private TimeSpan _cpu;
    private long _at;
    private double _percent;

    /// <summary>0 at the first sample; samples that follow within 50 ms repeat the last answer.</summary>
    public double Percent(TimeSpan cpu)
    {
        lock (_gate)
        {
            long now = Stopwatch.GetTimestamp();
            if (_at == 0)
            {
                (_at, _cpu) = (now, cpu);
                return 0;
            }
            TimeSpan passed = Stopwatch.GetElapsedTime(_at, now);
            if (passed < Shortest)
                return _percent;
            _percent = Math.Max(0, (cpu - _cpu) / passed * 100);
            (_at, _cpu) = (now, cpu);
            return _percent;
        }
    }
}
