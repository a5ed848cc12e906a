using System.Diagnostics;

namespace StacyVM.Agent.Linux;

internal static class Clock
{
    /// <summary>Monotonic.</summary>
    internal static long Microseconds => (long)(Stopwatch.GetTimestamp() / (Stopwatch.Frequency / 1_000_000.0));

    internal static long UnixMicroseconds => (DateTime.UtcNow.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;
}
