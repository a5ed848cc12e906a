using System.Globalization;
using System.Security.Cryptography;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>What a probe says: of what holds on this machine, and of what is missing.</summary>
internal static class GvisorHealth
{
    /// <summary>An id for the sandbox of a probe.</summary>
    public static string NewProbeId() => "probe-" + RandomNumberGenerator.GetHexString(16, lowercase: true);

    public static IReadOnlyDictionary<string, string> Enforced(GvisorSetup setup, string? reservation)
    {
        var enforced = new Dictionary<string, string>
        {
            ["namespaces"] = $"a kernel of its own by gVisor {setup.Program.Version} (platform {setup.Platform}), in mount, PID, IPC, UTS and network namespaces, as nobody and in an empty root",
            ["seccomp"] = "gVisor's own filter around the sandbox's kernel; commands never reach the kernel of this machine",
            ["user"] = "commands are an ordinary user of the sandbox's kernel, without capabilities; on this machine that kernel is nobody, and its files lie where only root may go",
            ["network"] = "none: loopback only",
            ["disk"] = "one file is bounded by the disk size; /workspace and the changes of an image's root are not bounded as a whole; /tmp and /dev/shm are by the memory size",
            ["pids"] = "by the sandbox's kernel (RLIMIT_NPROC)" + Bound("pids", ", and far beyond it by a control group", ""),
            ["memory"] = Bound("memory",
                string.Create(CultureInfo.InvariantCulture, $"control group, without swap: the memory size and {GvisorLimits.OverheadMb} MiB for gVisor itself. A sandbox that needs more is ended as a whole"), "not"),
            ["cpu"] = Bound("cpu", "control group: a quota of vcpus processors", "not"),
        };
        if (reservation is not null)
            enforced["programs"] = reservation;
        return enforced;

        string Bound(string controller, string yes, string otherwise) => setup.Cgroups.Enforces(controller)
            ? yes
            : setup.Cgroups.Unenforced.TryGetValue(controller, out string? why) ? $"{otherwise} ({why})" : otherwise;
    }

    /// <summary>Names of what does not hold, or not wholly.</summary>
    public static IReadOnlyCollection<string> Gaps(GvisorSetup setup, string? reservation) =>
        [.. setup.Cgroups.Unenforced.Keys, "disk", .. reservation is null ? Array.Empty<string>() : ["programs"]];
}
