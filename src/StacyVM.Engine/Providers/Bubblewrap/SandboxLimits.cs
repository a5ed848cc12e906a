using System.Globalization;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// Bounds of what a sandbox may use. Control groups bound the whole of it; limits of the process bound what no group does, and stand in
/// for a group that cannot be had.
/// </summary>
internal static class SandboxLimits
{
    /// <summary>Beside the commands there are bwrap and the threads of the agent.</summary>
    private const int OwnProcesses = 16;

    private const int FileSize = 1, Data = 2, Core = 4, Processes = 6, OpenFiles = 7, LockedMemory = 8;
    private const long Mebibyte = 1024 * 1024;

    public static CgroupLimits OfGroups(SandboxSpec spec) => new(spec.MemoryMb * Mebibyte, spec.Vcpus, spec.PidsLimit + OwnProcesses);

    /// <param name="spec">What was asked for.</param>
    /// <param name="cgroups">What is bounded already.</param>
    /// <param name="shared">The sandbox's host user has other processes, too: the server's own.</param>
    public static IReadOnlyList<ResourceLimit> OfProcesses(SandboxSpec spec, CgroupTree cgroups, bool shared)
    {
        List<ResourceLimit> limits =
        [
            new(FileSize, (ulong)(spec.DiskMb * Mebibyte)),
            // A dump would be written, or piped to a program, by the host's kernel on the host's terms.
            new(Core, 0),
            new(OpenFiles, 16_384),
            new(LockedMemory, (ulong)(8 * Mebibyte)),
        ];
        if (!cgroups.Enforces("pids"))
            limits.Add(new(Processes, (ulong)(spec.PidsLimit + OwnProcesses + (shared ? ThreadsOf(Libc.GetEffectiveUserId()) : 0))));
        if (!cgroups.Enforces("memory"))
            limits.Add(new(Data, (ulong)(spec.MemoryMb * Mebibyte)));
        return limits;
    }

    /// <summary>The kernel counts all processes and threads of a user, those outside the sandbox included.</summary>
    private static int ThreadsOf(uint user)
    {
        int count = 0;
        string wanted = string.Create(CultureInfo.InvariantCulture, $"Uid:\t{user}\t");
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            if (!char.IsAsciiDigit(directory["/proc/".Length]))
                continue;
            try
            {
                string status = File.ReadAllText(directory + "/status");
                int threads = status.IndexOf("\nThreads:\t", StringComparison.Ordinal);
                if (threads > 0 && status.Contains(wanted, StringComparison.Ordinal)
                    && int.TryParse(status.AsSpan(threads + 10, status.IndexOf('\n', threads + 1) - threads - 10), CultureInfo.InvariantCulture, out int number))
                    count += number;
            }
            catch (Exception cause) when (cause is IOException or UnauthorizedAccessException)
            {
                // It ended meanwhile.
            }
        }
        return count;
    }
}
