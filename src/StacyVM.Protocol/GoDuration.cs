using System.Globalization;
using System.Text;

namespace StacyVM.Protocol;

/// <summary>
/// Durations as they stand on the wire and in the configuration: Go's duration syntax, e.g. <c>1h30m</c>, <c>1.5s</c>, <c>850µs</c>.
/// No days or weeks; a bare number other than 0 is an error.
/// </summary>
public static class GoDuration
{
    private static readonly (string Unit, decimal Nanoseconds)[] Units =
    [
        ("ns", 1m), ("us", 1_000m), ("µs", 1_000m), ("μs", 1_000m), ("ms", 1_000_000m),
        ("s", 1_000_000_000m), ("m", 60_000_000_000m), ("h", 3_600_000_000_000m),
    ];

    /// <summary>Parses a duration. Fractions below 100 ns, the resolution of <see cref="TimeSpan"/>, are cut off, but what is not 0 does not become 0, which means "none" in many places.</summary>
    /// <returns>False for an empty text, a bad one, or one beyond ±290 years.</returns>
    public static bool TryParse(string? text, out TimeSpan value)
    {
        value = default;
        if (string.IsNullOrEmpty(text))
            return false;
        ReadOnlySpan<char> rest = text;
        bool negative = rest[0] == '-';
        if (rest[0] is '+' or '-')
            rest = rest[1..];
        if (rest is "0")
            return true;
        if (rest.IsEmpty)
            return false;
        decimal total = 0;
        while (!rest.IsEmpty)
        {
            int digits = rest.IndexOfAnyExcept("0123456789.");
            if (digits is <= 0 or > 28
                || !decimal.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out decimal number))
                return false;
            rest = rest[digits..];
            int letters = rest.IndexOfAny("0123456789.");
            ReadOnlySpan<char> unit = letters < 0 ? rest : rest[..letters];
            decimal scale = ScaleOf(unit);
            if (scale == 0 || number > long.MaxValue / scale)
                return false;
            total += number * scale;
            if (total > long.MaxValue)
                return false;
            rest = rest[unit.Length..];
        }
        long ticks = total is > 0 and < 100 ? 1 : (long)(total / 100m);
        value = TimeSpan.FromTicks(negative ? -ticks : ticks);
        return true;
    }

    /// <summary>Formats as Go does: <c>0s</c>, <c>1.5ms</c>, <c>30s</c>, <c>1m0s</c>, <c>1h0m0.5s</c>.</summary>
    public static string Format(TimeSpan value)
    {
        if (value == TimeSpan.Zero)
            return "0s";
        var text = new StringBuilder(24);
        // In ticks of 100 ns, unsigned so that the smallest TimeSpan has an absolute value.
        ulong ticks = value.Ticks < 0 ? (ulong)-(value.Ticks + 1) + 1 : (ulong)value.Ticks;
        if (value.Ticks < 0)
            text.Append('-');
        if (ticks < TimeSpan.TicksPerSecond)
        {
            (decimal scale, string unit) = ticks switch
            {
                < TimeSpan.TicksPerMicrosecond => (0.01m, "ns"),
                < TimeSpan.TicksPerMillisecond => (10m, "µs"),
                _ => (10_000m, "ms"),
            };
            return text.Append(Trimmed(ticks / scale)).Append(unit).ToString();
        }
        ulong hours = ticks / TimeSpan.TicksPerHour;
        ulong minutes = ticks / TimeSpan.TicksPerMinute % 60;
        decimal seconds = ticks % TimeSpan.TicksPerMinute / (decimal)TimeSpan.TicksPerSecond;
        if (hours > 0)
            text.Append(hours).Append('h');
        if (hours > 0 || minutes > 0)
            text.Append(minutes).Append('m');
        return text.Append(Trimmed(seconds)).Append('s').ToString();
    }

    private static string Trimmed(decimal number) => number.ToString("0.#########", CultureInfo.InvariantCulture);

    private static decimal ScaleOf(ReadOnlySpan<char> unit)
    {
        foreach ((string name, decimal nanoseconds) in Units)
        {
            if (unit.SequenceEqual(name))
                return nanoseconds;
        }
        return 0;
    }
}
