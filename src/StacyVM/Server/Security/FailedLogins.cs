using System.Net;

namespace StacyVM.Server.Security;

/// <summary>
/// Counts wrong keys by address, in constant memory however many addresses there are. Each address has one place in each of two rows, by a hash
/// with a secret seed, and is held back only while both are: two addresses that share a place in one row hardly share the other.
/// </summary>
/// <remarks>A place holds the moment at which all that was counted there has worn off; each failure moves it on by one share of a minute.</remarks>
internal sealed class FailedLogins(int perMinute, TimeProvider time)
{
    private const int Rows = 2;
    private const int PlacesARow = 8_192;

    private readonly long[] _wornOff = perMinute > 0 ? new long[Rows * PlacesARow] : [];
    private readonly long _minute = time.TimestampFrequency * 60;
    private readonly long _share = time.TimestampFrequency * 60 / Math.Max(perMinute, 1);

    /// <summary>How long the address has to wait before its next key is looked at; null: not at all.</summary>
    public TimeSpan? WaitOf(IPAddress network)
    {
        if (perMinute <= 0)
            return null;
        long now = time.GetTimestamp();
        long ahead = long.MaxValue;
        for (int row = 0; row < Rows; row++)
            ahead = Math.Min(ahead, Volatile.Read(ref _wornOff[PlaceOf(network, row)]) - now);
        // There is room for one more failure as soon as a whole share of the minute is free.
        long over = ahead + _share - _minute;
        return over > 0 ? TimeSpan.FromSeconds((double)over / time.TimestampFrequency) : null;
    }

    public void Count(IPAddress network)
    {
        if (perMinute <= 0)
            return;
        long now = time.GetTimestamp();
        for (int row = 0; row < Rows; row++)
        {
            ref long place = ref _wornOff[PlaceOf(network, row)];
            long seen;
            do
                seen = Volatile.Read(ref place);
            while (Interlocked.CompareExchange(ref place, Math.Min(Math.Max(seen, now) + _share, now + _minute), seen) != seen);
        }
    }

    private static int PlaceOf(IPAddress network, int row)
    {
        Span<byte> bytes = stackalloc byte[16];
        network.TryWriteBytes(bytes, out int length);
        var hash = new HashCode();
        hash.AddBytes(bytes[..length]);
        hash.Add(row);
        return (row * PlacesARow) + (int)((uint)hash.ToHashCode() % PlacesARow);
    }
}
