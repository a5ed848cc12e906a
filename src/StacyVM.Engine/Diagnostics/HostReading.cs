using System.Globalization;

namespace StacyVM.Engine.Diagnostics;

/// <summary>What the kernel tells of this machine at one moment. What cannot be read is zero.</summary>
/// <param name="BusyTicks">Processor time spent working, of all processors, since the boot.</param>
/// <param name="AllTicks">As <paramref name="BusyTicks"/>, with idle time.</param>
/// <param name="MemoryPercent">Of the memory, how much is not available.</param>
/// <param name="DiskPercent">Of the file system, how much is not free.</param>
/// <param name="ReceivedBytes">Over all interfaces but loopback.</param>
/// <param name="SentBytes">Over all interfaces but loopback.</param>
/// <param name="Load">Average over the last minute.</param>
internal sealed record HostReading(
    long BusyTicks, long AllTicks, double MemoryPercent, double DiskPercent, long ReceivedBytes, long SentBytes, double Load)
{
    /// <param name="proc">Where the kernel tells it: <c>/proc</c>.</param>
    /// <param name="directory">On the file system that counts.</param>
    public static HostReading Take(string proc, string directory)
    {
        (long busy, long all) = Processors(Lines(proc, "stat"));
        (long received, long sent) = Network(Lines(proc, "net/dev"));
        return new HostReading(busy, all, Memory(Lines(proc, "meminfo")), Disk(directory), received, sent, LoadOf(Lines(proc, "loadavg")));
    }

    // cpu user nice system idle iowait irq softirq steal guest guest_nice; guest time is part of user time.
    private static (long Busy, long All) Processors(string[] lines)
    {
        long[] ticks = [.. Fields(Array.Find(lines, line => line.StartsWith("cpu ", StringComparison.Ordinal))).Skip(1).Take(8).Select(Number)];
        if (ticks.Length < 5)
            return (0, 0);
        long all = ticks.Sum();
        return (all - ticks[3] - ticks[4], all);
    }

    private static double Memory(string[] lines)
    {
        long total = Kilobytes("MemTotal:"), available = Kilobytes("MemAvailable:");
        return total == 0 ? 0 : 100.0 * (total - available) / total;

        long Kilobytes(string name) =>
            Fields(Array.Find(lines, line => line.StartsWith(name, StringComparison.Ordinal))) is [_, string amount, ..] ? Number(amount) : 0;
    }

    private static (long Received, long Sent) Network(string[] lines)
    {
        long received = 0, sent = 0;
        foreach (string line in lines)
        {
            int colon = line.IndexOf(':');
            if (colon < 0 || line.AsSpan(0, colon).Trim() is "lo")
                continue;
            string[] counters = Fields(line[(colon + 1)..]);
            if (counters.Length < 9)
                continue;
            received += Number(counters[0]);
            sent += Number(counters[8]);
        }
        return (received, sent);
    }

    private static double Disk(string directory)
    {
        try
        {
            var drive = new DriveInfo(directory);
            return drive.TotalSize == 0 ? 0 : 100.0 * (drive.TotalSize - drive.TotalFreeSpace) / drive.TotalSize;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException)
        {
            return 0;
        }
    }

    private static double LoadOf(string[] lines) =>
        lines is [string line, ..] && double.TryParse(Fields(line).FirstOrDefault(), NumberStyles.Float, CultureInfo.InvariantCulture, out double load) ? load : 0;

    private static string[] Lines(string proc, string name)
    {
        try
        {
            return File.ReadAllLines(Path.Combine(proc, name));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string[] Fields(string? line) => line?.Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static long Number(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number) ? number : 0;
}
