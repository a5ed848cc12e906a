using StacyVM.Server.OpenApi;

namespace StacyVM.Server.Observability;

/// <summary>Examples of the answers, as on the wire.</summary>
internal static class Examples
{
    public const string Worker = $$$"""
        {"id":"local","hostname":"sandbox-host","status":"online","providers":["bubblewrap","docker"],"capabilities":["api","single_node","spawn","exec","files"],"capacity":{{{Limits}}},"last_heartbeat":"2026-05-04T10:00:00Z","created_at":"2026-05-01T08:00:00Z","updated_at":"2026-05-04T10:00:00Z","stale":false}
        """;

    public const string Stats = """{"cpu_pct":12.5,"mem_pct":41.2,"disk_pct":63,"net_rx_bps":20480,"net_tx_bps":1024.5,"load1":0.42}""";

    public const string Diagnostics = $$$"""
        {"generated_at":"2026-05-04T10:00:00Z","build":{"version":"0.15.0","goos":"linux","goarch":"x64"},"process":{"uptime":"1h2m3.5s","goroutines":24,"memory":{"alloc":9000000,"sys":60000000,"heap_alloc":9000000,"gc_cycles":12}},"store":{"healthy":true,"latency_ms":2},"limits":{{{Limits}}},{{{Shared}}},"providers":[{{{RouteExamples.Provider}}}],"remediation":{"deployment":"README.md"},"redactions":["API keys"]}
        """;

    public const string Metrics = $$$"""
        {"uptime":"1h2m3.5s","goroutines":24,"memory_alloc":9000000,"memory_sys":60000000,"memory_heap_alloc":9000000,"gc_cycles":12,"providers":{"total":1,"healthy":1,"items":[{{{RouteExamples.Provider}}}]},{{{Shared}}}}
        """;

    public const string Prometheus = """
        # HELP stacyvm_uptime_seconds Seconds since the start of the server.
        # TYPE stacyvm_uptime_seconds gauge
        stacyvm_uptime_seconds 3723.5
        # HELP stacyvm_operation_success_total Operations that succeeded.
        # TYPE stacyvm_operation_success_total counter
        stacyvm_operation_success_total{operation="spawn",provider="bubblewrap"} 2

        """;

    private const string Limits = """
        {"max_sandboxes":0,"max_sandboxes_per_owner":0,"default_exec_timeout":"0s","max_exec_timeout":"10m0s","max_ttl":"24h0m0s","spawn_overflow":"reject","spawn_queue_timeout":"30s","max_spawn_queue":100}
        """;

    private const string Shared = $$$"""
        "scheduler":{"spawn_overflow":"reject","spawn_queue_depth":0,"max_spawn_queue":100,"spawn_queue_timeout":"30s","admission_control":"worker_aware_local","worker_id":"local","selected_worker_id":"local","eligible_workers":1,"spawn_queued_total":0,"spawn_dequeued_total":0,"spawn_queue_timeouts":0,"spawn_queue_wait_count":0,"spawn_queue_wait_total":"0s","spawn_queue_wait_max":"0s","spawn_queue_wait_avg":"0s","spawn_queue_wait_total_ms":0,"spawn_queue_wait_max_ms":0,"spawn_queue_wait_avg_ms":0},"quotas":{"total":0,"with_max_sandboxes":0,"with_max_ttl":0,"with_max_exec_timeout":0},"rate_limit":{"enabled":false,"requests_per_minute":120,"burst":60,"key_by":"owner","active_buckets":0,"allowed_total":0,"limited_total":0,"evicted_total":0,"bucket_ttl":"15m0s","cleanup_interval":"1m0s"},"workers":{"total":1,"online":1,"stale":0,"unhealthy":0,"items":[{{{Worker}}}]},"leases":{"total":0,"active":0,"expired":0,"by_holder":{}},"sandboxes":{"total":2,"active":2,"by_state":{"running":2},"by_provider":{"bubblewrap":2},"by_worker":{"local":2}},"events":{"subscribers":1,"history_size":4,"events_total":4},"operations":[{"operation":"spawn","provider":"bubblewrap","success_total":2,"failure_total":0,"latency_count":2,"latency_total_ms":24,"latency_min_ms":11,"latency_max_ms":13,"latency_avg_ms":12,"last_observed_unix":1777888800}]
        """;
}
