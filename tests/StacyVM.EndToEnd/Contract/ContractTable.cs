namespace StacyVM.EndToEnd.Contract;

/// <summary>When a field of the contract is there.</summary>
internal enum Presence
{
    /// <summary>In every object of its kind.</summary>
    Always,

    /// <summary>In the full sample; left out of the bare one, where it would be empty.</summary>
    WhenSet,

    /// <summary>In no sample: nothing here sets it, and empty it would be left out.</summary>
    Never,
}

/// <summary>One row of the tables of the HTTP contract.</summary>
/// <param name="Object">What has the field; a sample of that name exists.</param>
/// <param name="Field">Its name on the wire; below another one with a dot.</param>
/// <param name="Type">A type of the contract: text, int, number, bool, time, seconds (a time without a fraction), duration, texts, list, object.</param>
/// <param name="Presence">When it is there.</param>
internal sealed record ContractRow(string Object, string Field, string Type, Presence Presence);

/// <summary>The tables of the HTTP contract, transcribed by hand: they do not follow the code, so that the code cannot lead them astray.</summary>
internal static class ContractTable
{
    public static IReadOnlyList<ContractRow> Rows { get; } =
    [
        .. Object("sandbox", "id text", "state text", "provider text", "image text", "memory_mb int", "vcpus int", "owner_id text ?", "tenant_id text -",
            "vm_id text -", "worker_id text", "created_at time", "expires_at time", "metadata object ?", "preview_domain text"),
        .. Object("exec result", "exit_code int", "stdout text", "stderr text", "duration duration"),
        .. Object("stream chunk", "stream text", "data text"),
        .. Object("last stream chunk", "stream text", "data text", "exit_code int", "duration duration"),
        .. Object("file", "path text", "name text", "size int", "mode text", "is_dir bool", "mod_time seconds"),
        .. Object("provider", "name text", "healthy bool", "default bool", "latency_ms int", "last_checked seconds", "error text -", "capabilities texts", "runtime_count int"),
        .. Object("provider detail", "name text", "healthy bool", "default bool", "sandbox_count int", "health object", "health.name text", "health.healthy bool",
            "health.default bool", "health.latency_ms int", "health.last_checked seconds", "health.capabilities texts", "config object", "config.type text"),
        .. Object("health", "status text", "version text", "uptime duration"),
        .. Object("liveness", "status text", "version text", "uptime duration"),
        .. Object("readiness", "status text", "version text", "uptime duration", "providers list", "ready_providers int", "total_providers int"),
        .. Object("statistics", "supported bool", "cpu_pct number", "mem_bytes int", "mem_limit_bytes int"),
        .. Object("prune result", "pruned int"),
        .. Object("admission", "allowed bool", "queueable bool", "reason text ?", "active_sandboxes int", "max_sandboxes int", "active_owner_sandboxes int ?",
            "max_owner_sandboxes int ?", "max_ttl duration", "selected_worker_id text -", "eligible_workers int -", "worker_reason text -"),
        .. Object("quota", "owner_id text", "max_sandboxes int", "max_ttl duration", "max_exec_timeout duration", "created_at time", "updated_at time"),
        .. Object("quota summary", "total int", "with_max_sandboxes int", "with_max_ttl int", "with_max_exec_timeout int"),
        .. Object("quota usage", "owner_id text", "active_sandboxes int", "max_sandboxes int", "max_ttl duration", "max_exec_timeout duration", "quota_configured bool"),
        .. Object("template", "name text", "version int", "image text", "description text ?", "setup texts ?", "allowed_hosts texts ?", "memory_mb int", "cpu_cores int",
            "vcpus int", "ttl_seconds int", "ttl duration", "provider text ?", "metadata object ?", "env object ?", "secrets list ?", "pool_size int", "created_at time", "updated_at time"),
        .. Object("environment spec", "id text", "owner_id text", "name text", "base_image text", "python_packages texts", "apt_packages texts", "python_version text ?",
            "created_at time", "updated_at time"),
        .. Object("environment build", "id text", "spec_id text", "status text", "current_step text", "log text", "image_size_bytes int", "digest_local text -", "error text -",
            "created_at time", "finished_at time -", "updated_at time", "artifacts list"),
        .. Object("environment spawn config", "build_id text", "build_status text", "ready bool", "provider text", "image text", "target text", "digest text", "note text"),
        .. Object("registry connection", "id text", "owner_id text", "provider text", "username text", "secret_ref text -", "is_default bool", "created_at time", "updated_at time"),
        .. Object("worker", "id text", "hostname text", "status text", "providers texts", "capabilities texts", "capacity object", "last_heartbeat seconds", "created_at seconds",
            "updated_at seconds", "stale bool"),
        .. Object("pool status", "enabled bool"),
        .. Object("system statistics", "cpu_pct number", "mem_pct number", "disk_pct number", "net_rx_bps number", "net_tx_bps number", "load1 number"),
        .. Object("diagnostics", "generated_at seconds", "build.version text", "build.goos text", "build.goarch text", "process.uptime duration", "process.goroutines int",
            "process.memory.alloc int", "process.memory.sys int", "process.memory.heap_alloc int", "process.memory.gc_cycles int", "store.healthy bool", "store.latency_ms int",
            "limits.max_sandboxes int", "limits.max_sandboxes_per_owner int", "limits.default_exec_timeout duration", "limits.max_exec_timeout duration",
            "limits.max_ttl duration", "limits.spawn_overflow text", "limits.spawn_queue_timeout duration", "limits.max_spawn_queue int", "quotas.total int",
            "quotas.with_max_sandboxes int", "quotas.with_max_ttl int", "quotas.with_max_exec_timeout int", "rate_limit.enabled bool", "rate_limit.requests_per_minute int",
            "rate_limit.burst int", "rate_limit.key_by text", "rate_limit.active_buckets int", "rate_limit.allowed_total int", "rate_limit.limited_total int",
            "rate_limit.evicted_total int", "rate_limit.bucket_ttl duration", "rate_limit.cleanup_interval duration", "providers list", "workers.total int", "workers.online int",
            "workers.stale int", "workers.unhealthy int", "workers.items list", "leases.total int", "leases.active int", "leases.expired int", "leases.by_holder object",
            "remediation object", "redactions texts"),
        .. Numbers("diagnostics"),
        .. Object("metrics", "uptime duration", "goroutines int", "memory_alloc int", "memory_sys int", "memory_heap_alloc int", "gc_cycles int", "providers.total int",
            "providers.healthy int", "providers.items list", "workers object", "leases object", "quotas object", "rate_limit object"),
        .. Numbers("metrics"),
        .. Object("event", "id text", "type text", "sandbox_id text", "timestamp time", "data object -"),
    ];

    /// <summary>What diagnostics and metrics have in common.</summary>
    private static IEnumerable<ContractRow> Numbers(string name) => Object(name, "sandboxes.total int", "sandboxes.active int", "sandboxes.by_state object",
        "sandboxes.by_provider object", "sandboxes.by_worker object", "events.subscribers int", "events.history_size int", "events.events_total int", "operations list",
        "scheduler.spawn_overflow text", "scheduler.spawn_queue_depth int", "scheduler.max_spawn_queue int", "scheduler.spawn_queue_timeout duration",
        "scheduler.admission_control text", "scheduler.worker_id text", "scheduler.eligible_workers int", "scheduler.spawn_queued_total int",
        "scheduler.spawn_dequeued_total int", "scheduler.spawn_queue_timeouts int", "scheduler.spawn_queue_wait_count int", "scheduler.spawn_queue_wait_total duration",
        "scheduler.spawn_queue_wait_max duration", "scheduler.spawn_queue_wait_avg duration", "scheduler.spawn_queue_wait_total_ms int",
        "scheduler.spawn_queue_wait_max_ms int", "scheduler.spawn_queue_wait_avg_ms int");

    /// <summary>Fields as <c>name type</c>, with <c>?</c> behind one that is left out when empty and <c>-</c> behind one that nothing here sets.</summary>
    private static IEnumerable<ContractRow> Object(string name, params string[] fields) =>
        fields.Select(field => field.Split(' ')).Select(parts => new ContractRow(name, parts[0], parts[1], parts.ElementAtOrDefault(2) switch
        {
            "?" => Presence.WhenSet,
            "-" => Presence.Never,
            _ => Presence.Always,
        }));
}
