using Docker.DotNet.Models;
using StacyVM.Engine.Configuration;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>What holds on this daemon, a sentence each.</summary>
internal static class Enforcement
{
    public static Dictionary<string, string> Of(SystemInfoResponse info, DockerOptions options, DockerUser user, ProvedDaemon proved)
    {
        IList<string> security = info.SecurityOptions ?? [];
        string runtime = options.Runtime.Length == 0 ? info.DefaultRuntime : options.Runtime;
        return new Dictionary<string, string>
        {
            ["namespaces"] = $"containers of {runtime} on Docker {info.ServerVersion}{(Has(security, "rootless") ? ", a rootless daemon" : Has(security, "userns") ? ", in user namespaces" : "")}",
            ["seccomp"] = Seccomp(security, options),
            ["user"] = $"{user}, no new privileges, capabilities dropped: {Join(options.DroppedCaps)}, added: {Join(options.AddedCaps)}",
            ["memory"] = !info.MemoryLimit ? "not enforced: the daemon's cgroups have no memory controller"
                : info.SwapLimit ? $"limited, without swap (cgroup v{info.CgroupVersion})"
                : $"limited (cgroup v{info.CgroupVersion}); swap is not accounted on this kernel",
            ["cpu"] = info.CPUCfsQuota ? "limited by quota" : "not enforced: the daemon's cgroups have no CPU quota",
            ["pids"] = info.PidsLimit ? $"limited to {(options.PidsLimit > 0 ? options.PidsLimit : 256)}" : "not enforced: the daemon's cgroups have no pids controller",
            ["disk"] = proved.Workspace == WorkspaceKind.Memory ? "limited: the workspace is in memory" : "not enforced",
            ["network"] = options.NetworkMode is "" or "none" ? "none but loopback" : options.NetworkMode,
            ["agent"] = proved.Route == AgentRoute.Socket ? "bound in read-only, dials the server's socket" : "uploaded, reached through exec",
        };
    }

    /// <summary>What of it does not hold.</summary>
    public static IEnumerable<string> Gaps(SystemInfoResponse info, DockerOptions options, ProvedDaemon proved)
    {
        if (options.SeccompProfile == "unconfined" || !Has(info.SecurityOptions ?? [], "seccomp"))
            yield return "seccomp";
        if (!info.MemoryLimit)
            yield return "memory";
        if (!info.CPUCfsQuota)
            yield return "cpu";
        if (!info.PidsLimit)
            yield return "pids";
        if (proved.Workspace != WorkspaceKind.Memory)
            yield return "disk";
    }

    private static string Seccomp(IList<string> security, DockerOptions options) => options.SeccompProfile switch
    {
        _ when !Has(security, "seccomp") => "not enforced: the daemon or its kernel has no seccomp",
        "unconfined" => "switched off by providers.docker.seccomp_profile",
        "" or "default" => "a list of allowed calls, narrower than the daemon's own",
        _ => "the configured profile",
    };

    private static bool Has(IList<string> security, string name) => security.Any(option => option.StartsWith($"name={name}", StringComparison.Ordinal));

    private static string Join(IReadOnlyList<string> names) => names.Count == 0 ? "none" : string.Join(", ", names);
}
