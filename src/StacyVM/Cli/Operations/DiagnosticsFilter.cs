using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace StacyVM.Cli.Operations;

/// <summary>
/// The diagnostics of a server, without what anybody wrote freely: numbers and switches stay, texts only where their name is listed here and
/// they have the form of a name, a time or a duration. Error texts can carry commands, paths and secrets of users, whatever they look like.
/// </summary>
internal static partial class DiagnosticsFilter
{
    private const string LeftOut = "[TEXT LEFT OUT]";

    /// <summary>Objects, lists, numbers and switches under these names.</summary>
    private static readonly HashSet<string> Names =
    [
        "build", "process", "memory", "store", "limits", "scheduler", "quotas", "rate_limit", "providers", "workers", "leases", "sandboxes", "events", "operations", "items",
        "alloc", "sys", "heap_alloc", "gc_cycles", "goroutines", "healthy", "latency_ms", "default", "runtime_count", "max_sandboxes", "max_sandboxes_per_owner",
        "max_spawn_queue", "spawn_queue_depth", "eligible_workers", "spawn_queued_total", "spawn_dequeued_total", "spawn_queue_timeouts", "spawn_queue_wait_count",
        "spawn_queue_wait_total_ms", "spawn_queue_wait_max_ms", "spawn_queue_wait_avg_ms", "enabled", "requests_per_minute", "burst", "active_buckets", "allowed_total",
        "limited_total", "evicted_total", "total", "online", "stale", "unhealthy", "active", "expired", "by_state", "by_provider", "by_worker", "subscribers", "history_size",
        "events_total", "success_total", "failure_total", "latency_count", "latency_total_ms", "latency_min_ms", "latency_max_ms", "latency_avg_ms", "last_observed_unix",
        "running", "creating", "destroying", "destroyed", "error", "stopped", "paused", "bubblewrap", "docker", "mock", "proot", "firecracker", "e2b", "custom", "local",
    ];

    /// <summary>Texts under these names.</summary>
    private static readonly HashSet<string> Texts =
    [
        "generated_at", "version", "goos", "goarch", "uptime", "default_exec_timeout", "max_exec_timeout", "max_ttl", "spawn_overflow", "spawn_queue_timeout", "admission_control",
        "spawn_queue_wait_total", "spawn_queue_wait_max", "spawn_queue_wait_avg", "key_by", "bucket_ttl", "cleanup_interval", "last_checked", "last_heartbeat", "state", "status",
        "operation", "provider", "name",
    ];

    /// <summary>What may be shown of it.</summary>
    public static JsonNode? Filter(JsonElement element) => Filter(element, name: "");

    private static JsonNode? Filter(JsonElement element, string name)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                var kept = new JsonObject();
                foreach (JsonProperty property in element.EnumerateObject())
                {
                    if (Names.Contains(property.Name) || Texts.Contains(property.Name))
                        kept[property.Name] = Filter(property.Value, property.Name);
                }
                return kept;
            case JsonValueKind.Array:
                return new JsonArray([.. element.EnumerateArray().Select(item => Filter(item, name))]);
            case JsonValueKind.String:
                return Texts.Contains(name) && Plain().IsMatch(element.GetString()!) ? JsonValue.Create(element.GetString()) : JsonValue.Create(LeftOut);
            case JsonValueKind.Null or JsonValueKind.Undefined:
                return null;
            default:
                return JsonNode.Parse(element.GetRawText());
        }
    }

    // Moments, durations, versions, and the words of closed sets: lower-case, without a secret's length.
    [GeneratedRegex(@"^(?:\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)|[\d.]+(?:[nuµmshd]+[\d.]*)*|v?\d+\.\d+\.\d+(?:-[a-z]{2,5}(?:\.\d{1,3})?)?|[a-z][a-z0-9]{0,11}(?:_[a-z]{1,12}){0,3})$")]
    private static partial Regex Plain();
}
