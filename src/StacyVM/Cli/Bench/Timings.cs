using System.Diagnostics;

namespace StacyVM.Cli.Bench;

/// <summary>Times of one kind, from many threads.</summary>
internal sealed class Timings(string name)
{
    private readonly List<double> _milliseconds = [];

    public async Task MeasureAsync(Func<Task> operation)
    {
        long start = Stopwatch.GetTimestamp();
        await operation();
        Add(Stopwatch.GetElapsedTime(start));
    }

    public void Add(TimeSpan elapsed)
    {
        lock (_milliseconds)
            _milliseconds.Add(elapsed.TotalMilliseconds);
    }

    public Latency ToLatency()
    {
        double[] sorted = [.. _milliseconds.Order()];
        return new Latency(name, sorted.Length, At(sorted, 50), At(sorted, 95), At(sorted, 99));
    }

    /// <summary>Nearest rank: a value that was really measured.</summary>
    internal static double At(double[] sorted, int percent) =>
        sorted.Length == 0 ? double.NaN : sorted[Math.Max(0, (int)Math.Ceiling(sorted.Length * percent / 100.0) - 1)];
}
