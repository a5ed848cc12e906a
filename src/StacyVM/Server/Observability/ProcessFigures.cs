using System.Globalization;

namespace StacyVM.Server.Observability;

/// <summary>Figures of this process, from the runtime and the kernel.</summary>
/// <param name="Threads">Of the whole process.</param>
/// <param name="HeapBytes">Living managed objects, and garbage that has not been collected yet.</param>
/// <param name="ResidentBytes">What it holds in memory.</param>
/// <param name="Collections">Garbage collections since the start.</param>
internal sealed record ProcessFigures(int Threads, long HeapBytes, long ResidentBytes, int Collections)
{
    // Every collection of an older generation collects the youngest, too: its count is that of all.
    public static ProcessFigures Read() => new(ThreadsOf("/proc/self/status"), GC.GetTotalMemory(forceFullCollection: false), Environment.WorkingSet, GC.CollectionCount(0));

    private static int ThreadsOf(string path)
    {
        const string Name = "Threads:";
        string? line = File.ReadLines(path).FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        return line is not null && int.TryParse(line.AsSpan(Name.Length).Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out int threads) ? threads : ThreadPool.ThreadCount;
    }
}
