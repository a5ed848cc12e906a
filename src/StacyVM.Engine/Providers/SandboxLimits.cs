using System.Globalization;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Providers;

/// <summary>
/// Bounds of what a sandbox may use. Control groups bound the whole of it; limits of the process bound what no group does, and stand in
/// for a group that cannot be had.
/// </summary>
internal static class SandboxLimits
{
    private const int Data = 2, Core = 4, Processes = 6, OpenFiles = 7, LockedMemory = 8;
    private const long Mebibyte = 1024 * 1024;

    public static CgroupLimits OfGroups(SandboxSpec spec) => new(spec.MemoryMb * Mebibyte, spec.Vcpus, spec.PidsLimit);

    /// <param name="spec">What was asked for.</param>
    /// <param name="cgroups">What is bounded already.</param>
    /// <param name="shared">The sandbox's host user has other processes, too: the server's own.</param>
    public static IReadOnlyList<ResourceLimit> OfProcesses(SandboxSpec spec, CgroupTree cgroups, bool shared)
    {
        List<ResourceLimit> limits =
        [
            new(Libc.RLIMIT_FSIZE, (ulong)(spec.DiskMb * Mebibyte)),
            // A dump would be written, or piped to a program, by the host's kernel on the host's terms.
            new(Core, 0),
            new(OpenFiles, 16_384),
            new(LockedMemory, (ulong)(8 * Mebibyte)),
        ];
        if (!cgroups.Enforces("pids") && !shared)
            limits.Add(new(Processes, (ulong)spec.PidsLimit));
        if (!cgroups.Enforces("memory"))
            limits.Add(new(Data, (ulong)(spec.MemoryMb * Mebibyte)));
        return limits;
    }

    /// <summary>True where <see cref="WithinNamespace"/> has an effect: from Linux 5.14 on each user namespace counts its own processes.</summary>
    public static bool CountsWithinNamespace { get; } = Environment.OSVersion.Version >= new Version(5, 14);

    /// <summary>
    /// The bound of processes for a user that is shared. Set outside, it would count all that this user runs; so the agent sets it inside the
    /// sandbox's user namespace, before anything else.
    /// </summary>
    /// <returns>Arguments of the agent's program.</returns>
    public static IReadOnlyList<string> WithinNamespace(SandboxSpec spec, CgroupTree cgroups, bool shared) =>
        shared && CountsWithinNamespace && !cgroups.Enforces("pids") ? ["limited", spec.PidsLimit.ToString(CultureInfo.InvariantCulture)] : [];
}
