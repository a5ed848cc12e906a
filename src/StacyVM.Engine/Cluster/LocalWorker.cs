using System.Text.Json;
using StacyVM.Engine.Store;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Cluster;

/// <summary>
/// The server itself as a worker. Its heartbeat is kept in memory, where it is read, and in its row, where other servers on the same database find it.
/// </summary>
internal sealed class LocalWorker
{
    /// <summary>A worker that has been silent for longer is stale.</summary>
    public static readonly TimeSpan StaleAfter = TimeSpan.FromMinutes(2);

    private static readonly TimeSpan Period = TimeSpan.FromSeconds(30);

    private readonly IWorkerStore _store;
    private readonly TimeProvider _time;
    private volatile WorkerRow _row;

    /// <param name="providers">Names of the isolation levels.</param>
    /// <param name="limits">Its capacity.</param>
    /// <param name="store">Where its row is.</param>
    /// <param name="time">The clock.</param>
    public LocalWorker(IReadOnlyList<string> providers, LimitsInfo limits, IWorkerStore store, TimeProvider time)
    {
        _store = store;
        _time = time;
        DateTime now = time.GetUtcNow().UtcDateTime;
        _row = new WorkerRow(
            WorkerInfo.Local, Environment.MachineName, "online", providers, ["api", "single_node", "spawn", "exec", "files"],
            JsonSerializer.Serialize(limits, RestJson.Default.LimitsInfo), now, now);
    }

    /// <summary>As clients see it now.</summary>
    public WorkerInfo Describe()
    {
        WorkerRow row = _row;
        using JsonDocument capacity = JsonDocument.Parse(row.Capacity);
        return new WorkerInfo
        {
            Id = row.Id,
            Hostname = row.Hostname,
            Status = row.Status,
            Providers = row.Providers,
            Capabilities = row.Capabilities,
            Capacity = capacity.RootElement.Clone(),
            LastHeartbeat = Seconds(row.LastHeartbeat),
            CreatedAt = Seconds(row.CreatedAt),
            UpdatedAt = Seconds(row.LastHeartbeat),
            Stale = _time.GetUtcNow().UtcDateTime - row.LastHeartbeat > StaleAfter,
        };
    }

    /// <summary>Beats until cancelled.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        bool known = false;
        while (!stopping.IsCancellationRequested)
        {
            _row = _row with { LastHeartbeat = _time.GetUtcNow().UtcDateTime };
            try
            {
                await _store.SaveAsync(_row);
                if (!known && await _store.FindAsync(_row.Id, stopping) is { } stored)
                {
                    _row = _row with { CreatedAt = stored.CreatedAt };
                    known = true;
                }
            }
            catch (Exception e) when (e is StacyVMException or OperationCanceledException)
            {
                // The writer has told it; the heart beats in memory all the same.
            }
            await Task.Delay(Period, _time, stopping).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private static DateTime Seconds(DateTime time) => new(time.Ticks - time.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc);
}
