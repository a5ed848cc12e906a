using System.Buffers.Text;
using StacyVM.Agent.Files;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Statistics;

/// <summary>What the sandbox uses, from one walk over <c>/proc</c>.</summary>
internal sealed unsafe class StatisticsOperation(AgentOptions options, long endedCpuMicroseconds, long started) : IOperation
{
    private const int KernelThreads = 2;
    private const int TicksPerSecondName = 2, PageSizeName = 30;

    public void Run(WorkChannel work)
    {
        ulong ticks = 0, pages = 0;
        uint processes = 0;
        ProcessFiles.ForEach((pid, status) =>
        {
            // The first process of a machine sees the kernel's own threads, too, which are children of the second.
            if (options.CommandGroup is not null && (pid == KernelThreads || status.Parent == KernelThreads))
                return;
            ticks += status.CpuTicks;
            pages += status.ResidentPages;
            processes++;
        });
        ulong perTick = 1_000_000 / (ulong)Math.Max(1, Libc.SystemConstant(TicksPerSecondName));
        (ulong used, ulong total) = Disk();
        new AgentStatistics(
            ticks * perTick + (ulong)endedCpuMicroseconds,
            pages * (ulong)Libc.SystemConstant(PageSizeName),
            MemoryTotal(),
            processes,
            used,
            total,
            (ulong)(Clock.Microseconds - started)).Write(work.Body);
    }

    private (ulong Used, ulong Total) Disk()
    {
        FileSystemUsage usage;
        fixed (byte* path = options.WorkingDirectory.Terminated)
            if (Libc.FileSystemStatus(path, &usage) != 0)
                return (0, 0);
        ulong block = (ulong)usage.BlockSize;
        return ((usage.Blocks - usage.Free) * block, usage.Blocks * block);
    }

    private static ulong MemoryTotal()
    {
        Span<byte> text = stackalloc byte[256];
        int length = Descriptor.ReadSmall("/proc/meminfo\0"u8, text);
        ReadOnlySpan<byte> label = "MemTotal:"u8;
        if (length <= label.Length || !text.StartsWith(label))
            return 0;
        ReadOnlySpan<byte> value = ((ReadOnlySpan<byte>)text[label.Length..length]).TrimStart((byte)' ');
        return Utf8Parser.TryParse(value, out ulong kilobytes, out _) ? kilobytes * 1024 : 0;
    }
}
