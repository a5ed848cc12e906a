using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Observability;

/// <summary>The page that a scrape gets. Names and labels are those that dashboards of the original use.</summary>
internal static class PrometheusPage
{
    public static string Of(MetricsInfo metrics, TimeSpan uptime)
    {
        var page = new PrometheusText();
        Process(page, metrics, uptime);
        Sandboxes(page, metrics.Sandboxes);
        Providers(page, metrics.Providers);
        page.Gauge("stacyvm_workers_total", "Workers by status.")
            .Add(metrics.Workers.Total, ("status", "total")).Add(metrics.Workers.Online, ("status", "online"))
            .Add(metrics.Workers.Stale, ("status", "stale")).Add(metrics.Workers.Unhealthy, ("status", "unhealthy"));
        page.Gauge("stacyvm_leases_total", "Leases of sandboxes by status.")
            .Add(metrics.Leases.Total, ("status", "total")).Add(metrics.Leases.Active, ("status", "active")).Add(metrics.Leases.Expired, ("status", "expired"));
        page.Counter("stacyvm_events_total", "Events since the start.").Add(metrics.Events.EventsTotal);
        page.Gauge("stacyvm_event_subscribers", "Open event streams.").Add(metrics.Events.Subscribers);
        page.Gauge("stacyvm_event_history_size", "Events kept for replay.").Add(metrics.Events.HistorySize);
        Queue(page, metrics.Scheduler);
        Limits(page, metrics);
        Operations(page, metrics.Operations);
        return page.ToString();
    }

    private static void Process(PrometheusText page, MetricsInfo metrics, TimeSpan uptime)
    {
        page.Gauge("stacyvm_uptime_seconds", "Seconds since the start of the server.").Add(Math.Round(uptime.TotalSeconds, 3));
        page.Gauge("stacyvm_runtime_goroutines", "Threads of the server process.").Add(metrics.Goroutines);
        page.Gauge("stacyvm_runtime_memory_alloc_bytes", "Bytes of managed objects.").Add(metrics.MemoryAlloc);
        page.Gauge("stacyvm_runtime_memory_sys_bytes", "Bytes that the process holds in memory.").Add(metrics.MemorySys);
        page.Counter("stacyvm_runtime_gc_cycles_total", "Garbage collections.").Add(metrics.GcCycles);
    }

    // Of these the "total" of the names is history: they go up and down.
    private static void Sandboxes(PrometheusText page, SandboxCounts sandboxes)
    {
        page.Gauge("stacyvm_sandboxes_total", "Sandboxes by state.");
        foreach ((string state, int count) in sandboxes.ByState)
            page.Add(count, ("state", state));
        page.Gauge("stacyvm_sandboxes_by_provider_total", "Sandboxes by isolation level.");
        foreach ((string provider, int count) in sandboxes.ByProvider)
            page.Add(count, ("provider", provider));
        page.Gauge("stacyvm_sandboxes_by_worker_total", "Sandboxes by worker.");
        foreach ((string worker, int count) in sandboxes.ByWorker)
            page.Add(count, ("worker", worker));
    }

    private static void Providers(PrometheusText page, ProviderCounts providers)
    {
        page.Gauge("stacyvm_provider_healthy", "Whether the level works: 1 or 0.");
        foreach (ProviderInfo provider in providers.Items)
            page.Add(provider.Healthy ? 1 : 0, ("provider", provider.Name), ("default", provider.Default ? "true" : "false"));
        page.Gauge("stacyvm_provider_health_latency_milliseconds", "How long the last check of the level took.");
        foreach (ProviderInfo provider in providers.Items)
            page.Add(provider.LatencyMs, ("provider", provider.Name));
        page.Gauge("stacyvm_provider_runtime_sandboxes", "Runtimes that the level lists as ours.");
        foreach (ProviderInfo provider in providers.Items.Where(provider => provider.RuntimeCount is not null))
            page.Add(provider.RuntimeCount!.Value, ("provider", provider.Name));
    }

    private static void Queue(PrometheusText page, SchedulerInfo scheduler)
    {
        page.Gauge("stacyvm_spawn_queue_depth", "Spawns that wait for a place.").Add(scheduler.SpawnQueueDepth);
        page.Gauge("stacyvm_spawn_queue_capacity", "Spawns that may wait.").Add(scheduler.MaxSpawnQueue);
        page.Counter("stacyvm_spawn_queue_enqueued_total", "Spawns that had to wait.").Add(scheduler.SpawnQueuedTotal);
        page.Counter("stacyvm_spawn_queue_dequeued_total", "Spawns that got a place after waiting.").Add(scheduler.SpawnDequeuedTotal);
        page.Counter("stacyvm_spawn_queue_timeout_total", "Spawns that waited in vain.").Add(scheduler.SpawnQueueTimeouts);
        page.Counter("stacyvm_spawn_queue_wait_milliseconds_sum", "Time spent waiting.").Add(scheduler.SpawnQueueWaitTotalMs);
        page.Counter("stacyvm_spawn_queue_wait_milliseconds_count", "Waits that have ended.").Add(scheduler.SpawnQueueWaitCount);
        page.Gauge("stacyvm_spawn_queue_wait_milliseconds_max", "Longest wait.").Add(scheduler.SpawnQueueWaitMaxMs);
    }

    private static void Limits(PrometheusText page, MetricsInfo metrics)
    {
        page.Gauge("stacyvm_owner_quotas_total", "Owners with a quota of their own.").Add(metrics.Quotas.Total);
        page.Gauge("stacyvm_owner_quota_overrides_total", "Owners whose quota overrides this.")
            .Add(metrics.Quotas.WithMaxSandboxes, ("type", "max_sandboxes"))
            .Add(metrics.Quotas.WithMaxTtl, ("type", "max_ttl"))
            .Add(metrics.Quotas.WithMaxExecTimeout, ("type", "max_exec_timeout"));
        page.Counter("stacyvm_rate_limit_allowed_total", "Requests let through by the rate limit.").Add(metrics.RateLimit.AllowedTotal);
        page.Counter("stacyvm_rate_limit_blocked_total", "Requests refused by the rate limit.").Add(metrics.RateLimit.LimitedTotal);
        page.Counter("stacyvm_rate_limit_evicted_buckets_total", "Callers forgotten by the rate limit.").Add(metrics.RateLimit.EvictedTotal);
        page.Gauge("stacyvm_rate_limit_active_buckets", "Callers known to the rate limit.").Add(metrics.RateLimit.ActiveBuckets);
    }

    private static void Operations(PrometheusText page, IReadOnlyList<OperationInfo> operations)
    {
        Family(page.Counter("stacyvm_operation_success_total", "Operations that succeeded."), operation => operation.SuccessTotal);
        Family(page.Counter("stacyvm_operation_failure_total", "Operations that failed."), operation => operation.FailureTotal);
        Family(page.Counter("stacyvm_operation_latency_milliseconds_sum", "Time spent in operations."), operation => operation.LatencyTotalMs);
        Family(page.Counter("stacyvm_operation_latency_milliseconds_count", "Operations that were timed."), operation => operation.LatencyCount);
        Family(page.Gauge("stacyvm_operation_latency_milliseconds_max", "Longest operation."), operation => operation.LatencyMaxMs);

        void Family(PrometheusText family, Func<OperationInfo, long> value)
        {
            foreach (OperationInfo operation in operations)
                family.Add(value(operation), ("operation", operation.Operation), ("provider", operation.Provider));
        }
    }
}
