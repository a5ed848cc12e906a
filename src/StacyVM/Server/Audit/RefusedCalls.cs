using System.Globalization;
using System.Net;
using StacyVM.Engine.Store;

namespace StacyVM.Server.Audit;

/// <summary>
/// Keeps floods of refused calls out of the store: of one minute, so many of one address and so many in all are written down; of the rest one row a
/// status says how many there were.
/// </summary>
internal sealed class RefusedCalls(IStore store, TimeProvider time) : IDisposable
{
    /// <summary>Rows a minute of one address (of IPv6, one /64).</summary>
    public const int MaxOfAddress = 30;

    /// <summary>Rows a minute in all.</summary>
    public const int MaxInAll = 300;

    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();

    // Bounded: only an address whose call is written down comes in.
    private readonly Dictionary<IPAddress, int> _written = [];
    private readonly SortedDictionary<int, long> _omitted = [];
    private long _start = time.GetTimestamp();
    private int _writtenInAll;
    private ITimer? _timer;
    private bool _ended;

    /// <summary>Whether this call gets a row of its own; otherwise it is counted.</summary>
    public bool Admits(IPAddress network, int status)
    {
        lock (_lock)
        {
            TimeSpan age = time.GetElapsedTime(_start);
            if (age >= Window)
            {
                Close();
                age = TimeSpan.Zero;
            }
            int ofAddress = _written.GetValueOrDefault(network);
            if (ofAddress < MaxOfAddress && _writtenInAll < MaxInAll)
            {
                _written[network] = ofAddress + 1;
                _writtenInAll++;
                return true;
            }
            if (_omitted.Count == 0 && !_ended)
                Schedule(Window - age);
            _omitted[status] = _omitted.GetValueOrDefault(status) + 1;
            return false;
        }
    }

    /// <summary>Writes what has been counted.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _ended = true;
            Close();
            _timer?.Dispose();
        }
    }

    private void Schedule(TimeSpan rest)
    {
        _timer ??= time.CreateTimer(_ => CloseIfOver(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(rest, Timeout.InfiniteTimeSpan);
    }

    private void CloseIfOver()
    {
        lock (_lock)
        {
            TimeSpan rest = Window - time.GetElapsedTime(_start);
            if (rest <= TimeSpan.Zero)
                Close();
            else if (_omitted.Count > 0 && !_ended)
                Schedule(rest + TimeSpan.FromMilliseconds(1));
        }
    }

    private void Close()
    {
        foreach ((int status, long count) in _omitted)
        {
            store.Append(new AdminAuditRow(time.GetUtcNow().UtcDateTime)
            {
                Actor = "server",
                Method = "",
                Path = $"{count.ToString(CultureInfo.InvariantCulture)} more refused calls, not listed one by one",
                Status = status,
                DurationMs = (long)time.GetElapsedTime(_start).TotalMilliseconds,
            });
        }
        _omitted.Clear();
        _written.Clear();
        _writtenInAll = 0;
        _start = time.GetTimestamp();
    }
}
