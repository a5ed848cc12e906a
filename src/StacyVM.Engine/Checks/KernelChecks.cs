using StacyVM.Engine.Linux.Cgroups;
using static StacyVM.Engine.Checks.Finding;

namespace StacyVM.Engine.Checks;

/// <summary>What the kernel and its settings allow. Whether it is enough is for the levels to prove.</summary>
internal static class KernelChecks
{
    private static readonly string[] Wanted = ["memory", "cpu", "pids"];

    public static IEnumerable<(string Name, Finding Finding)> Run() => Run(Read, CgroupMounts.Read());

    /// <param name="read">The trimmed text of a file; empty when it is not there.</param>
    /// <param name="mounts">The control groups.</param>
    internal static IEnumerable<(string Name, Finding Finding)> Run(Func<string, string> read, IReadOnlyList<CgroupMount> mounts)
    {
        yield return ("kernel.user_namespaces", UserNamespaces(read));
        string[] missing = [.. Wanted.Where(controller => !mounts.Any(mount => mount.Controllers.Contains(controller)))];
        string versions = string.Join(" and ", mounts.Select(mount => mount.Version).Distinct().Order().Select(version => $"v{version}"));
        yield return ("kernel.cgroups", missing.Length == 0
            ? Pass($"{versions}, with {string.Join(", ", Wanted)}")
            : Warn($"{(versions.Length == 0 ? "none" : versions)}, without {string.Join(", ", missing)}", "boot with the missing controllers (systemd.unified_cgroup_hierarchy=1 gives all of them on most systems)"));
    }

    private static Finding UserNamespaces(Func<string, string> read)
    {
        if (read("/proc/sys/user/max_user_namespaces") == "0")
            return Warn("switched off", "sysctl -w user.max_user_namespaces=10000");
        if (read("/proc/sys/kernel/unprivileged_userns_clone") == "0")
            return Warn("for root alone", "sysctl -w kernel.unprivileged_userns_clone=1, when the server does not run as root");
        return read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"
            ? Warn("AppArmor keeps them from programs without a profile", "give bwrap a profile that allows 'userns', when the server does not run as root")
            : Pass("allowed");
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
