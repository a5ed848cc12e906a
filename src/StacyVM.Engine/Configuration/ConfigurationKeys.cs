using System.Collections.Frozen;
using System.Net;
using static StacyVM.Engine.Configuration.ConfigurationTypes;

namespace StacyVM.Engine.Configuration;

/// <summary>The table of keys. Loader, checks, <c>config show</c> and the reference page all come from here.</summary>
internal static class ConfigurationKeys
{
    private static readonly ConfigurationType<string> Address = OfText(
        "address", "an IP address (0.0.0.0 for all), or localhost",
        text => text.Trim() is "localhost" ? "127.0.0.1" : IPAddress.TryParse(text.Trim(), out IPAddress? address) ? address.ToString() : null);

    private static readonly ConfigurationType<string> Driver = OfText(
        "enum", "sqlite; Postgres is not in this version", text => text.Trim().ToLowerInvariant() is "sqlite" or "sqlite3" ? "sqlite" : null);

    private static readonly ConfigurationType<string> NotEmpty = OfText(
        "string", "a text that is not empty", text => text.Trim() is { Length: > 0 } trimmed ? trimmed : null);

    /// <summary>In the order of the reference.</summary>
    public static readonly IReadOnlyList<ConfigurationKey> All =
    [
        .. General(), .. Server(), .. Auth(), .. RateLimit(), .. Database(), .. Defaults(), .. Logging(), .. Images(), .. Providers(), .. Secrets(), .. Environments(), .. UnusedKeys.All,
    ];

    private static readonly FrozenDictionary<string, ConfigurationKey> ByName = All.ToFrozenDictionary(key => key.Name);

    /// <summary>The key of that lower-case dotted name, or null.</summary>
    public static ConfigurationKey? Find(string name) => ByName.GetValueOrDefault(name);

    private static IEnumerable<ConfigurationKey> General() =>
    [
        new ConfigurationKey<string>("data_dir", FilePath, o => o.DataDir, (o, v) => o with { DataDir = v },
            "Where the server keeps its sandboxes, the unpacked agent and the generated key. One server a directory.")
        { DefaultNote = "/var/lib/stacyvm for root, else $XDG_DATA_HOME/stacyvm or ~/.local/share/stacyvm" },
    ];

    private static IEnumerable<ConfigurationKey> Server()
    {
        var server = new ConfigurationSection<ServerOptions>("server", o => o.Server, (o, s) => o with { Server = s });
        return
        [
            server.Key("host", Address, s => s.Host, (s, v) => s with { Host = v },
                "Listen address. Loopback by default, so that nothing beyond this machine can reach a server that was only tried out; any other address needs a key."),
            server.Key("port", Count(0, 65535), s => s.Port, (s, v) => s with { Port = v }, "Listen port; 0 takes any free one and prints it."),
            server.Key("preview_domain", NotEmpty, s => s.PreviewDomain, (s, v) => s with { PreviewDomain = v },
                "Domain part of preview URLs: http://<port>-<sandbox id>.<preview domain>."),
            server.Key("cors_allowed_origins", Origins, s => s.CorsAllowedOrigins, (s, v) => s with { CorsAllowedOrigins = v },
                "Browser origins that may call the API; * is any. Empty by default: a page of another origin, a sandbox's preview among them, has no business here."),
            server.Key("allowed_hosts", List, s => s.AllowedHosts, (s, v) => s with { AllowedHosts = v },
                "Further host names under which the server answers, beside loopback, the listen address and the preview domain. Others are refused, against DNS rebinding."),
            server.Key("trusted_proxies", Networks, s => s.TrustedProxies, (s, v) => s with { TrustedProxies = v },
                "Reverse proxies, as addresses or networks, whose X-Forwarded-For and X-Real-IP are believed: limits and audit then count the real client and not the proxy. With auth.owner_isolation, X-User-ID beside the client key is believed only from them, too."),
            server.Key("max_json_bytes", Size, s => s.MaxJsonBytes, (s, v) => s with { MaxJsonBytes = v }, "Largest JSON body of a request."),
            server.Key("max_exec_output_bytes", Size, s => s.MaxExecOutputBytes, (s, v) => s with { MaxExecOutputBytes = v },
                "Largest output, per stream, of an exec that is answered whole; what is beyond is dropped and the answer says so."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Auth()
    {
        var auth = new ConfigurationSection<AuthOptions>("auth", o => o.Auth, (o, s) => o with { Auth = s });
        return
        [
            auth.Key("allow_anonymous", Switch, s => s.AllowAnonymous, (s, v) => s with { AllowAnonymous = v },
                "Serves everybody who can connect, without a key, also beyond loopback. Anyone who reaches the port can then run commands in sandboxes."),
            auth.Secret("api_key", s => s.ApiKey, (s, v) => s with { ApiKey = v },
                "Key of the clients. Empty: made at the first start, kept with mode 0600 in the data directory, found there by the command line."),
            auth.Secret("admin_api_key", s => s.AdminApiKey, (s, v) => s with { AdminApiKey = v }, "Key of the operators, for the routes under /admin."),
            auth.Key("admin_fallback_enabled", Switch, s => s.AdminFallbackEnabled, (s, v) => s with { AdminFallbackEnabled = v },
                "Whether the client key opens /admin while no admin key is set."),
            auth.Secret("metrics_token", s => s.MetricsToken, (s, v) => s with { MetricsToken = v },
                "Token for monitoring: opens /metrics and /metrics/prometheus and nothing else, in any of the headers of a key. Empty: only the keys do."),
            auth.Key("owner_isolation", Switch, s => s.OwnerIsolation, (s, v) => s with { OwnerIsolation = v },
                "Separates owners: a caller sees and uses only sandboxes whose owner is its X-User-ID, and without that header only those without an owner; all others do not exist for it, nor do their events. Callers with the admin key see all; previews are not affected. The client key may name any user: give it to a backend that sets the header, not to the users themselves, and list that backend in server.trusted_proxies."),
            auth.Key("admin_audit_retention", Duration, s => s.AdminAuditRetention, (s, v) => s with { AdminAuditRetention = v },
                "How long rows of the admin audit are kept; 0 is for ever. Of refused calls, the newest database.max_rows at most."),
            auth.Key("max_failed_logins_per_minute", Count(), s => s.MaxFailedLoginsPerMinute, (s, v) => s with { MaxFailedLoginsPerMinute = v },
                "Wrong keys and tickets that one address (of IPv6, one /64) may send a minute; beyond, its keys are not looked at for a while. 0 is no bound. Behind a reverse proxy set server.trusted_proxies, or all clients count as one."),
        ];
    }

    private static IEnumerable<ConfigurationKey> RateLimit()
    {
        var limit = new ConfigurationSection<RateLimitOptions>("rate_limit", o => o.RateLimit, (o, s) => o with { RateLimit = s });
        return
        [
            limit.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v }, "Limits the requests of each caller to the API."),
            limit.Key("requests_per_minute", Count(), s => s.RequestsPerMinute, (s, v) => s with { RequestsPerMinute = v }, "Steady rate of one caller; 0 is no limit."),
            limit.Key("burst", Count(), s => s.Burst, (s, v) => s with { Burst = v }, "Requests that a caller may send at once; 0 is as many as requests_per_minute."),
            limit.Key("key_by", OneOf("owner", "api_key", "ip"), s => s.KeyBy, (s, v) => s with { KeyBy = v },
                "Who is one caller. owner: each X-User-ID beside each key, of which one key has 2,048 at most, the others count as one; api_key: each key; ip: each address. Callers without a key count by address."),
            limit.Key("bucket_ttl", Duration, s => s.BucketTtl, (s, v) => s with { BucketTtl = v }, "After so long without a request a caller is forgotten, once its burst is whole again."),
            limit.Key("cleanup_interval", Duration, s => s.CleanupInterval, (s, v) => s with { CleanupInterval = v }, "Shortest time between two rounds of forgetting."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Database()
    {
        var database = new ConfigurationSection<DatabaseOptions>("database", o => o.Database, (o, s) => o with { Database = s });
        return
        [
            database.Key("driver", Driver, s => s.Driver, (s, v) => s with { Driver = v },
                "The store. This version has SQLite, embedded; Postgres is not built in yet."),
            database.Key("path", FilePath, s => s.Path, (s, v) => s with { Path = v },
                "File of the SQLite database; a relative path starts at the working directory.", "stacyvm.db in data_dir"),
            database.Key("retention", Duration, s => s.Retention, (s, v) => s with { Retention = v },
                "How long destroyed sandboxes, audit rows and kept outputs stay in the database; 0 is for ever."),
            database.Key("max_rows", Count(1), s => s.MaxRows, (s, v) => s with { MaxRows = v },
                "Most rows of each of these kinds, whatever their age: the newest stay, and a busy server cannot fill its disk with them."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Defaults()
    {
        var defaults = new ConfigurationSection<DefaultsOptions>("defaults", o => o.Defaults, (o, s) => o with { Defaults = s });
        return
        [
            defaults.Key("ttl", Duration, s => s.Ttl, (s, v) => s with { Ttl = v }, "Lifetime of a sandbox whose request names none."),
            defaults.Key("image", NotEmpty, s => s.Image, (s, v) => s with { Image = v }, "Image of a sandbox whose request names none."),
            defaults.Key("memory_mb", Count(1), s => s.MemoryMb, (s, v) => s with { MemoryMb = v }, "Memory in MiB of a sandbox whose request names none."),
            defaults.Key("vcpus", Count(1), s => s.Vcpus, (s, v) => s with { Vcpus = v }, "Processors of a sandbox whose request names none."),
            defaults.Key("disk_size_mb", Count(), s => s.DiskSizeMb, (s, v) => s with { DiskSizeMb = v }, "Disk in MiB of a sandbox, where the level can bound it."),
            defaults.Key("max_ttl", Duration, s => s.MaxTtl, (s, v) => s with { MaxTtl = v }, "Longest lifetime that a request may ask for; 0 is no bound."),
            defaults.Key("default_exec_timeout", Duration, s => s.DefaultExecTimeout, (s, v) => s with { DefaultExecTimeout = v },
                "Time limit of a command whose request names none; 0: the maximum applies."),
            defaults.Key("max_exec_timeout", Duration, s => s.MaxExecTimeout, (s, v) => s with { MaxExecTimeout = v },
                "Longest time limit that a request may ask for; 0 is no bound."),
            defaults.Key("max_sandboxes", Count(), s => s.MaxSandboxes, (s, v) => s with { MaxSandboxes = v }, "Most sandboxes at one time; 0 is no bound."),
            defaults.Key("max_checkpoints", Count(), s => s.MaxCheckpoints, (s, v) => s with { MaxCheckpoints = v }, "Most checkpoints of one owner; 0 is no bound."),
            defaults.Key("max_sandboxes_per_owner", Count(), s => s.MaxSandboxesPerOwner, (s, v) => s with { MaxSandboxesPerOwner = v },
                "Most sandboxes of one owner at one time; 0 is no bound. A quota of the owner overrides it."),
            defaults.Key("spawn_overflow", OneOf("reject", DefaultsOptions.Queue), s => s.SpawnOverflow, (s, v) => s with { SpawnOverflow = v },
                "What happens to a spawn above one of these two limits: it is refused, or waits in a queue in which the owners take turns."),
            defaults.Key("spawn_queue_timeout", Duration, s => s.SpawnQueueTimeout, (s, v) => s with { SpawnQueueTimeout = v },
                "Longest wait in the spawn queue; 0: as long as the client waits."),
            defaults.Key("max_spawn_queue", Count(), s => s.MaxSpawnQueue, (s, v) => s with { MaxSpawnQueue = v == 0 ? new DefaultsOptions().MaxSpawnQueue : v },
                "Most spawns that wait; 0 is the default."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Logging()
    {
        var logging = new ConfigurationSection<LoggingOptions>("logging", o => o.Logging, (o, s) => o with { Logging = s });
        return
        [
            logging.Key("level", OneOf("trace", "debug", "info", "warn", "error", "fatal", "disabled", "panic=fatal"), s => s.Level,
                (s, v) => s with { Level = v }, "Least severe entry that is written."),
            logging.Key("format", OneOf("json", "pretty"), s => s.Format, (s, v) => s with { Format = v }, "json for machines, pretty for people."),
            logging.Key("audit", Switch, s => s.Audit, (s, v) => s with { Audit = v },
                "A row in the database for each operation on a sandbox: who, what, on which one, with what outcome. Written in batches, beside the work."),
            logging.Key("exec_output", Switch, s => s.ExecOutput, (s, v) => s with { ExecOutput = v },
                "Keeps commands with what they printed in the database. Off by default: both can hold secrets."),
            logging.Key("exec_output_bytes", Size, s => s.ExecOutputBytes, (s, v) => s with { ExecOutputBytes = v }, "Most bytes kept of each stream of a command."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Images()
    {
        var images = new ConfigurationSection<ImageOptions>("images", o => o.Images, (o, s) => o with { Images = s });
        return
        [
            images.Key("pull", Switch, s => s.Pull, (s, v) => s with { Pull = v },
                "Whether a spawn pulls an image that is not in the store. Images of Docker are its engine's and not in this store."),
            images.Key("auth_file", FilePath, s => s.AuthFile, (s, v) => s with { AuthFile = v },
                "Credentials of registries, in the form of Docker's config.json; read anew for each pull. Helper programs named in it are not run."),
            images.Key("mirrors", Map, s => s.Mirrors, (s, v) => s with { Mirrors = v },
                "Registry to addresses, separated by blanks, that are asked before it, e.g. docker.io: https://mirror.example. Only in the file."),
            images.Key("insecure_registries", List, s => s.InsecureRegistries, (s, v) => s with { InsecureRegistries = v },
                "Registries that are spoken to without TLS. What comes is held against digests, but whoever stands between can see it, and choose what a tag means."),
            images.Key("max_bytes", Size, s => s.MaxBytes, (s, v) => s with { MaxBytes = v },
                "Largest archive, download and unpacked layer. An archive of a few kilobytes can unpack to any amount."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Providers()
    {
        var providers = new ConfigurationSection<ProvidersOptions>("providers", o => o.Providers, (o, s) => o with { Providers = s });
        ConfigurationSection<MockOptions> mock = providers.Section("mock", p => p.Mock, (p, s) => p with { Mock = s });
        ConfigurationSection<BubblewrapOptions> bubblewrap = providers.Section("bubblewrap", p => p.Bubblewrap, (p, s) => p with { Bubblewrap = s });
        ConfigurationSection<QemuOptions> qemu = providers.Section("qemu", p => p.Qemu, (p, s) => p with { Qemu = s });
        ConfigurationSection<GvisorOptions> gvisor = providers.Section("gvisor", p => p.Gvisor, (p, s) => p with { Gvisor = s });
        ConfigurationSection<DockerOptions> docker = providers.Section("docker", p => p.Docker, (p, s) => p with { Docker = s });
        ConfigurationSection<ProotOptions> proot = providers.Section("proot", p => p.Proot, (p, s) => p with { Proot = s });
        ConfigurationSection<CustomOptions> custom = providers.Section("custom", p => p.Custom, (p, s) => p with { Custom = s });
        return
        [
            providers.Key("default", LevelName, s => s.Default, (s, v) => s with { Default = v },
                "Level of a sandbox whose request names none. auto tries at start which levels really work here, takes the strongest and says which."),
            mock.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v },
                "Plain directories on the host, no isolation at all: for tests and demonstrations; never chosen by auto."),
            bubblewrap.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v }, "Namespaces, seccomp and control groups through bwrap."),
            bubblewrap.Key("bwrap_path", NotEmpty, s => s.BwrapPath, (s, v) => s with { BwrapPath = v }, "Name or path of the program bwrap."),
            bubblewrap.Key("pids_limit", Count(1), s => s.PidsLimit, (s, v) => s with { PidsLimit = v }, "Most processes of one sandbox, against fork bombs."),
            bubblewrap.Key("uid_base", UserId(), s => s.UidBase, (s, v) => s with { UidBase = v },
                "First host user id for sandboxes when the server is root: each has an id of its own, so that one that breaks out is nobody."),
            bubblewrap.Key("uid_count", UserId(), s => s.UidCount, (s, v) => s with { UidCount = v }, "How many user ids from uid_base on belong to sandboxes."),
            qemu.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v }, "MicroVMs by QEMU, each with a kernel of its own. auto takes it only where KVM really works."),
            qemu.Key("qemu_path", NotEmpty, s => s.QemuPath, (s, v) => s with { QemuPath = v }, "Name or path of the program."),
            qemu.Key("kernel_path", Text, s => s.KernelPath, (s, v) => s with { KernelPath = v },
                "The guest kernel, …/boot/vmlinuz-VERSION with its modules in …/lib/modules/VERSION; empty: one that is installed. Debian's package is linux-image-cloud-amd64."),
            qemu.Key("accel", OneOf("auto", "kvm", "tcg"), s => s.Accel, (s, v) => s with { Accel = v }, "auto starts a machine to see whether KVM works here; tcg emulates processors, which is slow."),
            qemu.Key("uid_base", UserId(), s => s.UidBase, (s, v) => s with { UidBase = v },
                "First host user id for machines when the server is root: each has an id of its own, apart from those of other levels."),
            qemu.Key("uid_count", UserId(), s => s.UidCount, (s, v) => s with { UidCount = v }, "How many user ids from uid_base on belong to machines."),
            gvisor.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v }, "A kernel of its own in user space for each sandbox, by gVisor's runsc and without a container engine. Needs root. auto takes it only where this machine's own programs run in it."),
            gvisor.Key("runsc_path", NotEmpty, s => s.RunscPath, (s, v) => s with { RunscPath = v }, "Name or path of the program runsc."),
            gvisor.Key("platform", OneOf("auto", "systrap", "kvm", "ptrace"), s => s.Platform, (s, v) => s with { Platform = v },
                "How gVisor meets the system calls of a sandbox; auto tries what the installed version has, the fastest first."),
            gvisor.Key("pids_limit", Count(1), s => s.PidsLimit, (s, v) => s with { PidsLimit = v }, "Most processes of one sandbox, against fork bombs."),
            docker.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v }, "OCI containers by a Docker engine."),
            docker.Key("socket", Text, s => s.Socket, (s, v) => s with { Socket = v }, "Address of the engine, e.g. unix:///var/run/docker.sock; empty: DOCKER_HOST, else the platform's default."),
            docker.Key("runtime", NotEmpty, s => s.Runtime, (s, v) => s with { Runtime = v }, "OCI runtime of the engine: runc, runsc (gVisor) or kata-runtime."),
            docker.Key("default_image", NotEmpty, s => s.DefaultImage, (s, v) => s with { DefaultImage = v }, "Image where neither the request nor defaults.image names one."),
            docker.Key("network_mode", NotEmpty, s => s.NetworkMode, (s, v) => s with { NetworkMode = v },
                "none, bridge, host or a network's name. none by default: code nobody has read cannot then call home, scan the network or reach the cloud's metadata. Previews need no network."),
            docker.Key("seccomp_profile", NotEmpty, s => s.SeccompProfile, (s, v) => s with { SeccompProfile = v }, "default, unconfined, or the path of a profile."),
            docker.Key("read_only_rootfs", Switch, s => s.ReadOnlyRootfs, (s, v) => s with { ReadOnlyRootfs = v }, "Whether everything but /tmp and /workspace is read-only."),
            docker.Key("pids_limit", Count(1), s => s.PidsLimit, (s, v) => s with { PidsLimit = v }, "Most processes of one sandbox, against fork bombs."),
            docker.Key("user", Text, s => s.User, (s, v) => s with { User = v }, "uid:gid of commands; empty is 1000:1000, root has to be written out as 0:0."),
            docker.Key("dropped_caps", List, s => s.DroppedCaps, (s, v) => s with { DroppedCaps = v }, "Linux capabilities that are taken away."),
            docker.Key("added_caps", List, s => s.AddedCaps, (s, v) => s with { AddedCaps = v }, "Linux capabilities that are given back."),
            docker.Key("tmpfs", Map, s => s.Tmpfs, (s, v) => s with { Tmpfs = v }, "In-memory mounts: path to mount options. Only in the file."),
            proot.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v },
                "A root in user space by proot, for hosts that have neither Docker nor namespaces. It is no security boundary: off unless asked for, and the last that auto takes."),
            proot.Key("proot_binary", NotEmpty, s => s.ProotBinary, (s, v) => s with { ProotBinary = v }, "Name or path of the program proot."),
            proot.Key("max_sandboxes", Count(1), s => s.MaxSandboxes, (s, v) => s with { MaxSandboxes = v }, "Most sandboxes of this level at one time."),
            proot.Key("uid_base", UserId(), s => s.UidBase, (s, v) => s with { UidBase = v },
                "First host user id for sandboxes when the server is root; none of bubblewrap's."),
            proot.Key("uid_count", UserId(), s => s.UidCount, (s, v) => s with { UidCount = v }, "How many user ids from uid_base on belong to sandboxes."),
            custom.Key("enabled", Switch, s => s.Enabled, (s, v) => s with { Enabled = v },
                "Sandboxes made by an HTTP backend of your own; what isolates them is its affair. Never chosen by auto."),
            custom.Key("name", LevelName, s => s.Name, (s, v) => s with { Name = v }, "Name of that provider, in the API and in providers.default."),
            custom.Key("base_url", ServiceUrl, s => s.BaseUrl, (s, v) => s with { BaseUrl = v }, "Address of the backend. Its redirects are not followed."),
            custom.Secret("api_key", s => s.ApiKey, (s, v) => s with { ApiKey = v }, "Key that the backend wants, sent as X-API-Key."),
            custom.Key("timeout", Duration, s => s.Timeout, (s, v) => s with { Timeout = v == TimeSpan.Zero ? new CustomOptions().Timeout : v },
                "Time limit of a call to the backend, and of each step of a transfer; commands have their own. 0 is the default."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Secrets()
    {
        var secrets = new ConfigurationSection<SecretsOptions>("secrets", o => o.Secrets, (o, s) => o with { Secrets = s });
        return
        [
            secrets.Key("allowed_env", List, s => s.AllowedEnv, (s, v) => s with { AllowedEnv = v },
                "Variables of the server's environment that a template's secret without a value may stand for. Empty by default: whoever may save a template could read any other."),
        ];
    }

    private static IEnumerable<ConfigurationKey> Environments()
    {
        var environments = new ConfigurationSection<EnvironmentsOptions>("environments", o => o.Environments, (o, s) => o with { Environments = s });
        return
        [
            environments.Key("build_timeout", Duration, s => s.BuildTimeout, (s, v) => s with { BuildTimeout = v == TimeSpan.Zero ? new EnvironmentsOptions().BuildTimeout : v },
                "Longest time of one environment build with its pushes; 0 is the default."),
            environments.Key("registries", Map, s => s.Registries, (s, v) => s with { Registries = v },
                "Hosts that stand in for the registries of push targets, e.g. ghcr: registry.example:5000; the targets are ghcr and dockerhub. Only in the file."),
        ];
    }
}
