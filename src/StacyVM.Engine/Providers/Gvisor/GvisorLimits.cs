using StacyVM.Engine.Linux.Cgroups;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>
/// Bounds of the host's control groups. They hold a sandbox's kernel and its file server as well as what runs in it, so they stand beyond what the
/// sandbox was promised.
/// </summary>
internal static class GvisorLimits
{
    /// <summary>For gVisor itself. Measured with runsc of 2022: 45 MB idle, 80 MB with 60 processes.</summary>
    public const int OverheadMb = 128;

    /// <summary>
    /// Threads of this machine for one process of the sandbox: under ptrace each is a process here with a thread for each of its kernel's own. Measured: 60
    /// processes are 1290. gVisor ends when it cannot have one more, so this bound is for a sandbox that has broken out of its kernel, and far away.
    /// </summary>
    private const int ThreadsPerProcess = 48;

    /// <summary>RLIMIT_CORE.</summary>
    public const int Core = 4;

    private const int OwnThreads = 1024;
    private const long Mebibyte = 1024 * 1024;

    public static CgroupLimits OfGroups(SandboxSpec spec) =>
        new((spec.MemoryMb + OverheadMb) * Mebibyte, spec.Vcpus, (spec.PidsLimit * ThreadsPerProcess) + OwnThreads);
}
