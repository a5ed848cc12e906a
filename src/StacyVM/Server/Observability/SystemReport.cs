using System.Runtime.InteropServices;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Diagnostics;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Store;
using StacyVM.Protocol;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Security;

namespace StacyVM.Server.Observability;

/// <summary>
/// The state of the server for diagnostics and metrics, put together from counters and from what background checks have found: a scrape
/// neither probes a level nor reads a table, however often it comes.
/// </summary>
internal sealed class SystemReport(StacyEngine engine, StacyOptions options, RateLimiter limiter, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public TimeSpan Uptime => time.GetElapsedTime(_start);

    public DiagnosticsInfo Diagnostics()
    {
        ProcessFigures process = ProcessFigures.Read();
        DateTime now = time.GetUtcNow().UtcDateTime;
        return new DiagnosticsInfo
        {
            GeneratedAt = new DateTime(now.Ticks - now.Ticks % TimeSpan.TicksPerSecond, DateTimeKind.Utc),
            Build = new BuildInfo
            {
                Version = ServerVersion.Text,
                Goos = "linux",
                Goarch = RuntimeInformation.ProcessArchitecture.ToString().ToLowerInvariant(),
            },
            Process = new ProcessStats
            {
                Uptime = GoDuration.Format(Uptime),
                Goroutines = process.Threads,
                Memory = new MemoryStats
                {
                    Alloc = process.HeapBytes,
                    Sys = process.ResidentBytes,
                    HeapAlloc = process.HeapBytes,
                    GcCycles = process.Collections,
                },
            },
            Store = Store(),
            Limits = Limits.Of(options.Defaults),
            Scheduler = Scheduler(),
            Quotas = engine.Quotas.Summary,
            RateLimit = limiter.Statistics,
            Providers = Providers(),
            Workers = Workers(),
            Leases = Leases(),
            Sandboxes = Sandboxes(),
            Events = Events(),
            Operations = Operations(),
            Remediation = Documents.Remediation,
            Redactions = Documents.Redactions,
        };
    }

    public MetricsInfo Metrics()
    {
        ProcessFigures process = ProcessFigures.Read();
        IReadOnlyList<ProviderInfo> providers = Providers();
        return new MetricsInfo
        {
            Uptime = GoDuration.Format(Uptime),
            Goroutines = process.Threads,
            MemoryAlloc = process.HeapBytes,
            MemorySys = process.ResidentBytes,
            MemoryHeapAlloc = process.HeapBytes,
            GcCycles = process.Collections,
            Sandboxes = Sandboxes(),
            Providers = new ProviderCounts { Total = providers.Count, Healthy = providers.Count(provider => provider.Healthy), Items = providers },
            Workers = Workers(),
            Leases = Leases(),
            Events = Events(),
            Operations = Operations(),
            Scheduler = Scheduler(),
            Quotas = engine.Quotas.Summary,
            RateLimit = limiter.Statistics,
        };
    }

    private StoreInfo Store()
    {
        StoreHealth health = engine.Store.Health;
        long dropped = engine.Store.DroppedRows;
        return new StoreInfo
        {
            Healthy = health.Healthy,
            LatencyMs = (long)health.Latency.TotalMilliseconds,
            Error = health.Error,
            DroppedRows = dropped == 0 ? null : dropped,
        };
    }

    private SchedulerInfo Scheduler()
    {
        LimitsInfo limits = Limits.Of(options.Defaults);
        SpawnQueueNumbers queue = engine.Admission.QueueNumbers;
        return new SchedulerInfo
        {
            SpawnOverflow = limits.SpawnOverflow,
            SpawnQueueDepth = queue.Depth,
            MaxSpawnQueue = limits.MaxSpawnQueue,
            SpawnQueueTimeout = limits.SpawnQueueTimeout,
            AdmissionControl = "worker_aware_local",
            WorkerId = WorkerInfo.Local,
            SelectedWorkerId = WorkerInfo.Local,
            EligibleWorkers = 1,
            SpawnQueuedTotal = queue.Queued,
            SpawnDequeuedTotal = queue.Dequeued,
            SpawnQueueTimeouts = queue.Timeouts,
            SpawnQueueWaitCount = queue.WaitCount,
            SpawnQueueWaitTotal = GoDuration.Format(queue.WaitTotal),
            SpawnQueueWaitMax = GoDuration.Format(queue.WaitMax),
            SpawnQueueWaitAvg = GoDuration.Format(queue.WaitAverage),
            SpawnQueueWaitTotalMs = (long)queue.WaitTotal.TotalMilliseconds,
            SpawnQueueWaitMaxMs = (long)queue.WaitMax.TotalMilliseconds,
            SpawnQueueWaitAvgMs = (long)queue.WaitAverage.TotalMilliseconds,
        };
    }

    private IReadOnlyList<ProviderInfo> Providers() => [.. engine.Providers.Known().OrderBy(provider => provider.Name, StringComparer.Ordinal)];

    private WorkerCounts Workers()
    {
        WorkerInfo local = engine.Worker.Describe();
        return new WorkerCounts
        {
            Total = 1,
            Online = local is { Status: "online", Stale: false } ? 1 : 0,
            Stale = local.Stale ? 1 : 0,
            Unhealthy = local.Status == "unhealthy" ? 1 : 0,
            Items = [local],
        };
    }

    private static LeaseCounts Leases() => new() { Total = 0, Active = 0, Expired = 0, ByHolder = new Dictionary<string, int>() };

    private SandboxCounts Sandboxes()
    {
        IReadOnlyList<SandboxInfo> all = engine.Sandboxes.List(Caller.System);
        return new SandboxCounts
        {
            Total = all.Count,
            Active = all.Count(sandbox => sandbox.State == SandboxStates.Running),
            ByState = Count(sandbox => sandbox.State),
            ByProvider = Count(sandbox => sandbox.Provider),
            ByWorker = Count(sandbox => sandbox.WorkerId ?? WorkerInfo.Local),
        };

        SortedDictionary<string, int> Count(Func<SandboxInfo, string> key) =>
            new(all.CountBy(key).ToDictionary(), StringComparer.Ordinal);
    }

    private EventCounts Events()
    {
        (int subscribers, int history, long total) = engine.Events.Numbers;
        return new EventCounts { Subscribers = subscribers, HistorySize = history, EventsTotal = total };
    }

    private IReadOnlyList<OperationInfo> Operations() =>
    [
        .. engine.Counters.Snapshot().Select(count => new OperationInfo
        {
            Operation = count.Operation,
            Provider = count.Provider,
            SuccessTotal = count.Successes,
            FailureTotal = count.Failures,
            LatencyCount = count.Successes + count.Failures,
            LatencyTotalMs = (long)count.Total.TotalMilliseconds,
            LatencyMinMs = (long)count.Least.TotalMilliseconds,
            LatencyMaxMs = (long)count.Most.TotalMilliseconds,
            LatencyAvgMs = (long)(count.Total / (count.Successes + count.Failures)).TotalMilliseconds,
            LastError = count.LastError,
            LastObservedUnix = new DateTimeOffset(count.LastAt).ToUnixTimeSeconds(),
        }),
    ];
}
