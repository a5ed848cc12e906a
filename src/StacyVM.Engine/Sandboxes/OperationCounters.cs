using System.Collections.Concurrent;

namespace StacyVM.Engine.Sandboxes;

/// <summary>Successes, failures and latency per operation and provider since the start, for metrics and diagnostics. Safe from many threads.</summary>
internal sealed class OperationCounters
{
    private readonly ConcurrentDictionary<(string Operation, string Provider), Counter> _counters = new();

    /// <summary>Counts one operation.</summary>
    /// <param name="operation">E.g. <c>spawn</c>, <c>exec</c>, <c>file_write</c>.</param>
    /// <param name="provider">Its provider, or empty when it was never known.</param>
    /// <param name="elapsed">How long it took.</param>
    /// <param name="error">Null for a success.</param>
    /// <param name="now">Time of the observation, UTC.</param>
    public void Record(string operation, string provider, TimeSpan elapsed, string? error, DateTime now) =>
        _counters.GetOrAdd((operation, provider), static _ => new Counter()).Add(elapsed, error, now);

    /// <summary>A consistent copy of each counter, sorted by operation, then provider.</summary>
    public IReadOnlyList<OperationCount> Snapshot() =>
        [.. _counters.Select(pair => pair.Value.Read(pair.Key.Operation, pair.Key.Provider))
            .OrderBy(count => count.Operation, StringComparer.Ordinal).ThenBy(count => count.Provider, StringComparer.Ordinal)];

    private sealed class Counter
    {
        private readonly Lock _lock = new();
        private long _successes;
        private long _failures;
        private TimeSpan _total;
        private TimeSpan _least = TimeSpan.MaxValue;
        private TimeSpan _most;
        private string? _lastError;
        private DateTime _lastAt;

        public void Add(TimeSpan elapsed, string? error, DateTime now)
        {
            lock (_lock)
            {
                if (error is null)
                    _successes++;
                else
                {
                    _failures++;
                    _lastError = error;
                }
                _total += elapsed;
                if (elapsed < _least)
                    _least = elapsed;
                if (elapsed > _most)
                    _most = elapsed;
                _lastAt = now;
            }
        }

        public OperationCount Read(string operation, string provider)
        {
            lock (_lock)
                return new(operation, provider, _successes, _failures, _total, _least, _most, _lastError, _lastAt);
        }
    }
}

/// <summary>One row of <see cref="OperationCounters.Snapshot"/>.</summary>
internal sealed record OperationCount(
    string Operation, string Provider, long Successes, long Failures, TimeSpan Total, TimeSpan Least, TimeSpan Most, string? LastError, DateTime LastAt);
