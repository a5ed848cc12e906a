using System.Security.Cryptography;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>What a probe says: of what holds on this machine, and of what is missing.</summary>
internal static class BubblewrapHealth
{
    private const string ProbePrefix = "probe-";

    /// <summary>An id for the sandbox of a probe.</summary>
    public static string NewProbeId() => ProbePrefix + RandomNumberGenerator.GetHexString(16, lowercase: true);

    public static IReadOnlyDictionary<string, string> Enforced(BubblewrapSetup setup)
    {
        var enforced = new Dictionary<string, string>
        {
            ["namespaces"] = $"{(setup.Wall.UserNamespace ? "user, " : "")}mount, PID, IPC, UTS, network and cgroup namespaces by bubblewrap {setup.Program.Version}; {setup.Wall.Sentence}",
            ["seccomp"] = "a filter made for sandboxes: no mounts, no namespaces, no io_uring, bpf, keyrings, perf events or exotic sockets",
            ["user"] = setup.Users is { } users
                ? $"each sandbox is a host user of its own ({users.First} to {users.Last}), without capabilities"
                : $"sandboxes run as the server's own user ({Libc.GetEffectiveUserId()}), without capabilities; a server started as root gives each its own",
            ["network"] = "none: loopback only",
            ["disk"] = DiskWatch.Sentence,
            ["pause"] = setup.Cgroups.Freezes
                ? "control group: all of a sandbox stands still at once"
                : "SIGSTOP to every process of a sandbox, as there is no freezer here: processes that a sandbox had stopped itself run on when it is resumed",
        };
        enforced["memory"] = Bound("memory", "control group, without swap", "not as a whole: each process is bounded by RLIMIT_DATA");
        enforced["cpu"] = Bound("cpu", "control group: a quota of vcpus processors", "not");
        enforced["pids"] = Bound("pids", "control group", setup.Users is null
            ? SandboxLimits.CountsWithinNamespace ? "by RLIMIT_NPROC within the sandbox's user namespace" : "not"
            : "by RLIMIT_NPROC of the sandbox's own user");
        return enforced;

        string Bound(string controller, string yes, string otherwise) => setup.Cgroups.Enforces(controller)
            ? yes
            : setup.Cgroups.Unenforced.TryGetValue(controller, out string? why) ? $"{otherwise} ({why})" : otherwise;
    }

    /// <summary>Adds the remedy, when a setting of this machine explains the failure.</summary>
    public static string Advise(string failure)
    {
        if (Read("/proc/sys/kernel/unprivileged_userns_clone") == "0")
            return failure + " — user namespaces are switched off for ordinary users: sysctl -w kernel.unprivileged_userns_clone=1";
        if (Read("/proc/sys/user/max_user_namespaces") == "0")
            return failure + " — user namespaces are switched off: sysctl -w user.max_user_namespaces=10000";
        if (Read("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1")
            return failure + " — AppArmor keeps user namespaces from programs without a profile: give bwrap one that allows 'userns', or sysctl -w kernel.apparmor_restrict_unprivileged_userns=0";
        return failure;
    }

    private static string Read(string path)
    {
        try
        {
            return File.ReadAllText(path).Trim();
        }
        catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
