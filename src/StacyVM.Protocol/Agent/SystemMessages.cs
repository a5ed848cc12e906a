namespace StacyVM.Protocol.Agent;

/// <summary>Connects to a TCP port of the sandbox's own loopback (127.0.0.1, then ::1).</summary>
public readonly record struct ConnectRequest(ushort Port)
{
    public void Write(RecordWriter w) => w.UInt16(Port);

    public static ConnectRequest Read(ref RecordReader r) => new(r.UInt16());
}

/// <summary>What the sandbox uses, as seen from inside.</summary>
/// <param name="CpuMicroseconds">Processor time of all processes visible to the agent, ended children included, since it started.</param>
/// <param name="MemoryBytes">Resident memory of all processes visible to the agent.</param>
/// <param name="MemoryTotalBytes">Memory that the sandbox's kernel reports in all.</param>
/// <param name="Processes">Number of processes.</param>
/// <param name="DiskUsedBytes">Used bytes of the file system that holds the default working directory.</param>
/// <param name="DiskTotalBytes">Its size.</param>
/// <param name="UptimeMicroseconds">Since the agent started.</param>
public readonly record struct AgentStatistics(
    ulong CpuMicroseconds, ulong MemoryBytes, ulong MemoryTotalBytes, uint Processes, ulong DiskUsedBytes, ulong DiskTotalBytes, ulong UptimeMicroseconds)
{
    public void Write(RecordWriter w)
    {
        w.UInt64(CpuMicroseconds);
        w.UInt64(MemoryBytes);
        w.UInt64(MemoryTotalBytes);
        w.UInt32(Processes);
        w.UInt64(DiskUsedBytes);
        w.UInt64(DiskTotalBytes);
        w.UInt64(UptimeMicroseconds);
    }

    public static AgentStatistics Read(ref RecordReader r) =>
        new(r.UInt64(), r.UInt64(), r.UInt64(), r.UInt32(), r.UInt64(), r.UInt64(), r.UInt64());
}
