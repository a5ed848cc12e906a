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
        .. Object("event", "id text", "type text", "sandbox_id text", "timestamp time", "data object -"),
    ];

    /// <summary>Fields as <c>name type</c>, with <c>?</c> behind one that is left out when empty and <c>-</c> behind one that nothing here sets.</summary>
    private static IEnumerable<ContractRow> Object(string name, params string[] fields) =>
        fields.Select(field => field.Split(' ')).Select(parts => new ContractRow(name, parts[0], parts[1], parts.ElementAtOrDefault(2) switch
        {
            "?" => Presence.WhenSet,
            "-" => Presence.Never,
            _ => Presence.Always,
        }));
}
