using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent;

/// <summary>Sets up the agent's own process.</summary>
internal static unsafe class Surroundings
{
    private const int IgnoreSignal = 1;
    private const int ArenaMax = -8, TrimThreshold = -1, MapThreshold = -3;
    private const int DescriptorLimit = 7;

    internal static void Prepare(AgentOptions options)
    {
        // 1. Descriptors 0 to 2 are taken, so that nothing of ours ever lands there.
        int fd;
        do
            fd = Descriptor.Open("/dev/null\0"u8, OpenFlags.ReadWrite);
        while (fd is >= 0 and <= 2);
        if (fd >= 0)
            Libc.Close(fd);

        // 2. Commands of the same user may neither read nor trace the agent.
        if (!options.IsTraced)
            Libc.ProcessControl(ProcessOptions.SetDumpable, 0, 0, 0, 0);
        Libc.SetFileMask(0x12);

        // 3. A closed pipe is an answer, not a death. Children leave no zombies; each reports its own end.
        SignalAction action = new() { Handler = IgnoreSignal };
        Libc.SetSignalAction(Signals.Pipe, &action, null);
        if (!options.IsLauncher)
        {
            action = new() { Flags = Signals.NoChildWait };
            Libc.SetSignalAction(Signals.Child, &action, null);
            Libc.ProcessControl(ProcessOptions.SetChildSubreaper, 1, 0, 0, 0);
        }

        // 4. Small memory: one heap for all threads, given back when it is free.
        Libc.AllocatorOption(ArenaMax, 1);
        Libc.AllocatorOption(MapThreshold, 128 * 1024);
        Libc.AllocatorOption(TrimThreshold, 128 * 1024);

        // 5. Enough descriptors for a thousand channels, where it is allowed. Commands get the limit that the agent found.
        ulong* limit = stackalloc ulong[2];
        if (Libc.GetLimit(DescriptorLimit, limit) == 0 && limit[0] < limit[1])
        {
            options.DescriptorLimit = (limit[0], limit[1]);
            limit[0] = Math.Min(limit[1], 65_536);
            if (limit[0] > options.DescriptorLimit.Value.Soft)
                Libc.SetLimit(DescriptorLimit, limit);
            else
                options.DescriptorLimit = null;
        }
    }
}
