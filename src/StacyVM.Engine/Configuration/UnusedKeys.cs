using static StacyVM.Engine.Configuration.ConfigurationTypes;

namespace StacyVM.Engine.Configuration;

/// <summary>
/// Keys of features that this version does not have. A file written for a server that has them still loads: the values are checked,
/// and each one that is set is reported, so that nobody relies on a limit that nothing enforces.
/// </summary>
internal static class UnusedKeys
{
    public static readonly IReadOnlyList<ConfigurationKey> All =
    [
        .. Worker(), .. Providers(), .. Defaults(), .. Auth(), .. Pool(),
        new UnusedKey<string>("database.dsn", Text, "", "Connection string of Postgres.") { IsSecret = true },
    ];

    private static IEnumerable<ConfigurationKey> Worker() =>
    [
        new UnusedKey<string>("worker.id", Text, "", "Id of the worker; else the host name."),
        new UnusedKey<string>("worker.control_plane_url", Url, "http://localhost:7423", "The server that the worker serves."),
        new UnusedKey<string>("worker.listen_addr", Text, "", "Listen address of the worker."),
        new UnusedKey<string>("worker.preview_domain", Text, "", "Domain part of the worker's preview URLs."),
        new UnusedKey<TimeSpan>("worker.heartbeat_interval", Duration, "30s", "Time between two heartbeats."),
        new UnusedKey<TimeSpan>("worker.shutdown_timeout", Duration, "10s", "Time for a graceful stop."),
        new UnusedKey<bool>("worker.rpc_tls.enabled", Switch, "false", "Mutual TLS between server and worker."),
        new UnusedKey<string>("worker.rpc_tls.server_cert_file", FilePath, "", "Certificate of the worker."),
        new UnusedKey<string>("worker.rpc_tls.server_key_file", FilePath, "", "Its private key."),
        new UnusedKey<string>("worker.rpc_tls.client_ca_file", FilePath, "", "CA of the clients that the worker accepts."),
        new UnusedKey<string>("worker.rpc_tls.ca_file", FilePath, "", "CA of the workers that the server accepts."),
        new UnusedKey<string>("worker.rpc_tls.client_cert_file", FilePath, "", "Certificate of the server towards workers."),
        new UnusedKey<string>("worker.rpc_tls.client_key_file", FilePath, "", "Its private key."),
        new UnusedKey<string>("worker.rpc_tls.server_name", Text, "", "Name expected in the worker's certificate."),
        new UnusedKey<bool>("worker.rpc_tls.insecure_skip_verify", Switch, "false", "Accepts any certificate."),
    ];

    private static IEnumerable<ConfigurationKey> Providers() =>
    [
        new UnusedKey<bool>("providers.firecracker.enabled", Switch, "false", "MicroVMs by Firecracker."),
        new UnusedKey<string>("providers.firecracker.firecracker_path", FilePath, "/usr/local/bin/firecracker", "The program."),
        new UnusedKey<string>("providers.firecracker.kernel_path", FilePath, "/var/lib/stacyvm/vmlinux.bin", "The guest kernel."),
        new UnusedKey<string>("providers.firecracker.default_rootfs", FilePath, "", "A root file system to use as it is."),
        new UnusedKey<string>("providers.firecracker.agent_path", FilePath, "./bin/stacyvm-agent", "The guest agent."),
        new UnusedKey<string>("providers.firecracker.data_dir", FilePath, "/var/lib/stacyvm", "Images, snapshots and sockets."),
        new UnusedKey<bool>("providers.e2b.enabled", Switch, "false", "Sandboxes at E2B's hosted service."),
        new UnusedKey<string>("providers.e2b.api_key", Text, "", "Key of the account.") { IsSecret = true },
        new UnusedKey<string>("providers.e2b.base_url", Url, "https://api.e2b.dev", "Address of the service."),
        new UnusedKey<long>("providers.docker.memory", Size, "512m", "Memory of a container; requests and defaults.memory_mb decide."),
        new UnusedKey<string>("providers.docker.cpus", Text, "1", "Processors of a container; requests and defaults.vcpus decide."),
        new UnusedKey<bool>("providers.docker.pool_security.per_user_uid", Switch, "false", "A user id for each pool user."),
        new UnusedKey<bool>("providers.docker.pool_security.pid_namespace", Switch, "false", "A PID namespace for each pool user."),
        new UnusedKey<bool>("providers.docker.pool_security.workspace_permissions", Switch, "true", "Private workspaces in a pool."),
        new UnusedKey<bool>("providers.docker.pool_security.hidepid", Switch, "false", "Hidden processes in a pool."),
        new UnusedKey<string>("providers.proot.rootfs_path", FilePath, "/var/lib/stacyvm/rootfs", "A root file system for all; here sandboxes are made of the image host or an image of the store."),
        new UnusedKey<string>("providers.proot.workspace_base", FilePath, "/var/lib/stacyvm/workspaces", "Where workspaces are; here, below data_dir."),
        new UnusedKey<TimeSpan>("providers.proot.default_timeout", Duration, "60s", "Time limit of a command; defaults.default_exec_timeout decides."),
        new UnusedKey<int>("providers.proot.max_memory_mb", Count(), "512", "Memory of a sandbox; requests and defaults.memory_mb decide."),
        new UnusedKey<int>("providers.proot.max_disk_mb", Count(), "1024", "Disk of a sandbox; defaults.disk_size_mb decides."),
        new UnusedKey<IReadOnlyList<string>>("providers.proot.languages", List, "[python3, node, bash]", "Languages of the root file system."),
    ];

    private static IEnumerable<ConfigurationKey> Defaults() =>
    [
        new UnusedKey<int>("defaults.pool_size", Count(), "0", "Ready sandboxes that wait."),
        new UnusedKey<string>("defaults.pool_template", Text, "", "Template of the ready sandboxes."),
    ];

    private static IEnumerable<ConfigurationKey> Auth() =>
    [
        new UnusedKey<bool>("auth.enabled", Switch, "false", "Keys decide by themselves here: see auth.api_key and auth.allow_anonymous."),
        new UnusedKey<string>("auth.worker_token", Text, "", "Token shared by all workers.") { IsSecret = true },
        new UnusedKey<IReadOnlyDictionary<string, string>>("auth.worker_tokens", Map, "{}", "Worker id to its own token.") { IsSecret = true },
        new UnusedKey<string>("auth.worker_signing_key", Text, "", "Key that signs worker tokens.") { IsSecret = true },
        new UnusedKey<IReadOnlyList<string>>("auth.worker_signing_keys", List, "[]", "Older signing keys.") { IsSecret = true },
        new UnusedKey<IReadOnlyList<string>>("auth.worker_revoked_token_ids", List, "[]", "Token ids that are refused."),
        new UnusedKey<bool>("auth.oidc_enabled", Switch, "false", "OpenID Connect."),
        new UnusedKey<string>("auth.oidc_issuer", Text, "", "Issuer of the tokens."),
        new UnusedKey<string>("auth.oidc_audience", Text, "", "Audience of the tokens."),
        new UnusedKey<string>("auth.oidc_jwks_url", Url, "", "Where the issuer's keys are."),
        new UnusedKey<string>("auth.oidc_public_key", Text, "", "A fixed public key.") { IsSecret = true },
        new UnusedKey<string>("auth.oidc_groups_claim", Text, "groups", "Claim with the groups."),
        new UnusedKey<string>("auth.oidc_tenant_claim", Text, "tenant_id", "Claim with the tenant."),
        new UnusedKey<IReadOnlyList<string>>("auth.oidc_admin_groups", List, "[]", "Groups of admins."),
        new UnusedKey<IReadOnlyList<string>>("auth.oidc_operator_groups", List, "[]", "Groups of operators."),
        new UnusedKey<IReadOnlyList<string>>("auth.oidc_viewer_groups", List, "[]", "Groups of viewers."),
    ];

    private static IEnumerable<ConfigurationKey> Pool() =>
    [
        new UnusedKey<bool>("pool.enabled", Switch, "false", "Several users share one machine."),
        new UnusedKey<int>("pool.max_vms", Count(), "10", "Most machines."),
        new UnusedKey<int>("pool.max_users_per_vm", Count(), "5", "Most users of a machine."),
        new UnusedKey<string>("pool.image", Text, "alpine:latest", "Image of the machines."),
        new UnusedKey<int>("pool.memory_mb", Count(), "2048", "Memory of a machine."),
        new UnusedKey<int>("pool.vcpus", Count(), "2", "Processors of a machine."),
        new UnusedKey<string>("pool.overflow", OneOf("reject", "queue"), "reject", "What happens to a user when all machines are full."),
    ];
}
