using System.Globalization;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Guests;

/// <summary>The control group of all commands of a machine: what bounds them does not touch the agent, and they can be held still together.</summary>
internal static class CommandGroup
{
    private const string Hierarchy = "/sys/fs/cgroup", Path = Hierarchy + "/commands";
    private const int HoldMilliseconds = 5_000;

    internal const string JoinFile = Path + "/cgroup.procs";

    /// <param name="root">Where the system's root is for now.</param>
    internal static void Make(string root)
    {
        GuestFiles.Mount("cgroup2", root + Hierarchy, "cgroup2", GuestFiles.NoSuid | GuestFiles.NoDevices | GuestFiles.NoExecution);
        if (!GuestFiles.TryWrite(root + Hierarchy + "/cgroup.subtree_control", "+pids +memory +cpu"))
            throw OperationFailure.Of(Errno.Last, "this kernel has no control groups for processes and memory");
        GuestFiles.MakeDirectory(root + Path);
    }

    internal static void Bound(uint processes, ulong memory)
    {
        GuestFiles.TryWrite(Path + "/pids.max", processes == 0 ? "max" : processes.ToString(CultureInfo.InvariantCulture));
        GuestFiles.TryWrite(Path + "/memory.max", memory == 0 ? "max" : memory.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>Returns when none of them runs any more.</summary>
    internal static void Hold(bool hold)
    {
        if (!GuestFiles.TryWrite(Path + "/cgroup.freeze", hold ? "1" : "0"))
            throw OperationFailure.Of(Errno.Last, "commands cannot be held");
        long end = Clock.Microseconds + HoldMilliseconds * 1000L;
        while (hold && GuestFiles.TryRead(Path + "/cgroup.events", out string events) && !events.Contains("frozen 1", StringComparison.Ordinal))
        {
            // One that sleeps in the kernel, in a disk's read, comes out of it soon.
            if (Clock.Microseconds > end)
            {
                GuestFiles.TryWrite(Path + "/cgroup.freeze", "0");
                throw new OperationFailure(AgentStatus.Busy, "a command does not stand still");
            }
            Wait();
        }
    }

    private static unsafe void Wait() => Libc.Poll(null, 0, 1);
}
