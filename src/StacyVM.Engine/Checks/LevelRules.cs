using static StacyVM.Engine.Checks.Finding;

namespace StacyVM.Engine.Checks;

/// <summary>The part of the table of checks that is about sandboxes and what they run on.</summary>
internal static class LevelRules
{
    public static readonly IReadOnlyList<LintRule> Sandboxes =
    [
        new("defaults.sandbox_caps", ["defaults.max_sandboxes", "defaults.max_sandboxes_per_owner"], v =>
            v.Number("defaults.max_sandboxes") > 0 && v.Number("defaults.max_sandboxes_per_owner") > 0
                ? Pass($"{v.Text("defaults.max_sandboxes")} in all, {v.Text("defaults.max_sandboxes_per_owner")} for each owner")
                : Unfit("the number of sandboxes is not bounded", "set defaults.max_sandboxes and defaults.max_sandboxes_per_owner")),
        new("defaults.max_spawn_queue", ["defaults.max_spawn_queue"], v =>
            v.Number("defaults.max_spawn_queue") > 0 ? Pass(v.Text("defaults.max_spawn_queue")) : Unfit("not set", "set defaults.max_spawn_queue, e.g. 100")),
        new("defaults.exec_timeouts", ["defaults.default_exec_timeout", "defaults.max_exec_timeout"], v =>
            v.Duration("defaults.default_exec_timeout") > TimeSpan.Zero && v.Duration("defaults.max_exec_timeout") > TimeSpan.Zero
                ? Pass($"{v.Text("defaults.default_exec_timeout")}, at most {v.Text("defaults.max_exec_timeout")}")
                : Unfit("a command has no time limit of its own", "set defaults.default_exec_timeout and defaults.max_exec_timeout")),
        new("defaults.max_ttl", ["defaults.max_ttl"], v =>
            v.Duration("defaults.max_ttl") > TimeSpan.Zero ? Pass(v.Text("defaults.max_ttl")) : Unfit("a sandbox may live for ever", "set defaults.max_ttl, e.g. 24h")),
    ];

    public static readonly IReadOnlyList<LintRule> Levels =
    [
        new("providers.default", ["providers.default"], Default),
        new("providers.mock.enabled", ["providers.mock.enabled"], v =>
            v.Flag("providers.mock.enabled") ? Unfit("sandboxes of this level have no wall at all", "set providers.mock.enabled: false") : null),
        new("providers.proot.enabled", ["providers.proot.enabled"], v =>
            v.Flag("providers.proot.enabled") ? Unfit("proot is no security boundary", "set providers.proot.enabled: false") : null),
        new("custom.base_url", ["providers.custom.base_url"], v => IsPlain(v.Text("providers.custom.base_url"))
            ? Unfit("the key, commands and files travel to the backend without TLS", "use an https address, or a backend on this machine")
            : Pass("set")) { When = v => v.Flag("providers.custom.enabled") },
        new("custom.api_key", ["providers.custom.api_key"], v => v.Text("providers.custom.api_key").Length == 0
            ? Unfit("the backend asks for no key", "let it ask for one, and set providers.custom.api_key_file")
            : Pass("set")) { When = v => v.Flag("providers.custom.enabled") },
        Docker("runtime", v => v.Text("providers.docker.runtime") is { Length: > 0 } runtime ? Pass(runtime) : Unfit("not set", "set runc, runsc or kata-runtime")),
        Docker("network_mode", v => v.Text("providers.docker.network_mode") switch
        {
            "" => Unfit("not set", "set none, bridge or the name of a network"),
            "host" => Unfit("sandboxes are in the host's own network", "set none, bridge or the name of a network"),
            "none" => Pass("none"),
            var mode => Warn($"{mode}: sandboxes reach each other, the host and the cloud's metadata unless the network forbids it", "set none, or a network with rules"),
        }),
        Docker("seccomp_profile", v => v.Text("providers.docker.seccomp_profile") is { Length: > 0 } profile and not "unconfined"
            ? Pass(profile)
            : Unfit("no filter of system calls", "set default, or the path of a profile")),
        Docker("added_caps", v => v.List("providers.docker.added_caps") is { Length: > 0 } caps
            ? Unfit($"capabilities are given back: {string.Join(", ", caps)}", "empty providers.docker.added_caps")
            : Pass("none")),
        Docker("dropped_caps", v => v.List("providers.docker.dropped_caps").Contains("ALL", StringComparer.OrdinalIgnoreCase)
            ? Pass("ALL")
            : Unfit("some capabilities stay", "set providers.docker.dropped_caps: [ALL]")),
        new("docker.resource_limits", ["defaults.memory_mb", "defaults.vcpus", "providers.docker.pids_limit"], v =>
            v.Number("defaults.memory_mb") > 0 && v.Number("defaults.vcpus") > 0 && v.Number("providers.docker.pids_limit") > 0
                ? Pass($"{v.Text("defaults.memory_mb")} MiB, {v.Text("defaults.vcpus")} processors, {v.Text("providers.docker.pids_limit")} processes")
                : Unfit("memory, processors or processes are not bounded", "set defaults.memory_mb, defaults.vcpus and providers.docker.pids_limit")) { When = MayUseDocker },
        Docker("user", v => v.Text("providers.docker.user") switch
        {
            "" => Pass("1000:1000, the default"),
            var user when user.Split(':')[0] is "0" or "root" => Unfit("commands run as root of the container", "leave providers.docker.user empty, or set 1000:1000"),
            var user => Pass(user),
        }),
    ];

    private static Finding Default(ConfiguredValues v) => v.Text("providers.default") switch
    {
        "docker" => Pass("docker"),
        "proot" => Unfit("proot is no security boundary", "set docker or bubblewrap"),
        "mock" => Unfit("mock has no wall at all", "set docker or bubblewrap"),
        "auto" => Warn("auto: which level sandboxes get depends on what works when the server starts", "name the level that you rely on"),
        var level => Warn($"{level}: the checks of docker say nothing about it", "see what holds there: stacyvm doctor"),
    };

    private static LintRule Docker(string name, Func<ConfiguredValues, Finding> judge) => new("docker." + name, ["providers.docker." + name], judge) { When = MayUseDocker };

    /// <summary>An address beyond this machine that is spoken to without TLS.</summary>
    private static bool IsPlain(string address) => Uri.TryCreate(address, UriKind.Absolute, out Uri? url) && url is { Scheme: "http", IsLoopback: false };

    private static bool MayUseDocker(ConfiguredValues v) => v.Flag("providers.docker.enabled") && v.Text("providers.default") is "docker" or "auto";
}
