namespace StacyVM.Engine.Configuration;

/// <summary>
/// The keys that may be changed over HTTP: limits, lifetimes, rates, logging. A closed list of what is harmless by itself: nothing that names a
/// program, a path, a socket, an address, a key, an image, a network or a security profile, and nothing that shortens what audit keeps. A key
/// that is new is not changeable until it stands here.
/// </summary>
internal static class ChangeableKeys
{
    private static readonly HashSet<string> Names =
    [
        "server.max_json_bytes", "server.max_exec_output_bytes",
        "defaults.ttl", "defaults.memory_mb", "defaults.vcpus", "defaults.disk_size_mb", "defaults.max_ttl", "defaults.default_exec_timeout",
        "defaults.max_exec_timeout", "defaults.max_sandboxes", "defaults.max_sandboxes_per_owner", "defaults.spawn_overflow",
        "defaults.spawn_queue_timeout", "defaults.max_spawn_queue",
        "rate_limit.enabled", "rate_limit.requests_per_minute", "rate_limit.burst", "rate_limit.key_by", "rate_limit.bucket_ttl", "rate_limit.cleanup_interval",
        "logging.level", "logging.format",
    ];

    /// <summary>In the order of the reference; those of features that this version does not have are left out.</summary>
    public static IEnumerable<ConfigurationKey> All => ConfigurationKeys.All.Where(key => key.IsUsed && Contains(key));

    public static bool Contains(ConfigurationKey key) => !key.IsSecret && Names.Contains(key.Name);
}
