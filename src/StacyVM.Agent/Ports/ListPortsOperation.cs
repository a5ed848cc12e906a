using System.Buffers.Text;
using StacyVM.Agent.Files;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Ports;

/// <summary>The TCP ports on which something in this network namespace listens.</summary>
internal sealed unsafe class ListPortsOperation : IOperation
{
    private const int ChunkBytes = 64 * 1024;
    private const int ListenState = 0x0A;

    public void Run(WorkChannel work)
    {
        var ports = new SortedSet<ushort>();
        Collect("/proc/net/tcp\0"u8, ports);
        Collect("/proc/net/tcp6\0"u8, ports);
        work.Body.UInt32((uint)ports.Count);
        foreach (ushort port in ports)
            work.Body.UInt16(port);
    }

    private static void Collect(ReadOnlySpan<byte> file, SortedSet<ushort> ports)
    {
        int fd = Descriptor.Open(file, OpenFlags.ReadOnly);
        if (fd < 0)
            return;
        using var text = new ByteQueue();
        while (true)
        {
            nint count = Libc.Read(fd, text.Reserve(ChunkBytes), ChunkBytes);
            if (count <= 0)
                break;
            text.Commit((int)count);
            int newline;
            while ((newline = text.Bytes.IndexOf((byte)'\n')) >= 0)
            {
                Parse(text.Bytes[..newline], ports);
                text.Take(newline + 1);
            }
        }
        Libc.Close(fd);
    }

    /// <summary>"  0: 0100007F:1F90 00000000:0000 0A …": number, local address and port, remote ones, state, all in hexadecimal.</summary>
    private static void Parse(ReadOnlySpan<byte> line, SortedSet<ushort> ports)
    {
        int field = 0;
        uint local = 0;
        foreach (Range range in line.Split((byte)' '))
        {
            ReadOnlySpan<byte> value = line[range];
            if (value.IsEmpty)
                continue;
            if (field == 1 && !Utf8Parser.TryParse(value[(value.LastIndexOf((byte)':') + 1)..], out local, out _, 'x'))
                return;
            if (field == 3)
            {
                if (Utf8Parser.TryParse(value, out uint state, out _, 'x') && state == ListenState)
                    ports.Add((ushort)local);
                return;
            }
            field++;
        }
    }
}
