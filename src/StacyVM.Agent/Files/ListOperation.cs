using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>The entries of a directory by name; links as themselves.</summary>
internal sealed unsafe class ListOperation(LinuxPath path) : IOperation
{
    public void Run(WorkChannel work)
    {
        int fd = Descriptor.Open(path, OpenFlags.ReadOnly | OpenFlags.Directory);
        if (fd < 0)
            throw OperationFailure.Of(Errno.Last, path.ToString());
        using var reader = new DirectoryReader(fd);
        foreach (byte[] name in Names(reader, work))
        {
            work.ThrowIfGivenUp();
            LinuxPath entry = path.Append(name);
            FileStatus status;
            fixed (byte* p = entry.Terminated)
                if (FileStatusReader.ReadAt(fd, p + entry.Bytes.Length - name.Length, At.NoFollow, out status) != 0)
                    continue;
            work.SendRecord(w => FileStatusReader.Write(w, entry.Bytes, status));
        }
    }

    internal static List<byte[]> Names(DirectoryReader reader, WorkChannel work)
    {
        var names = new List<byte[]>();
        while (reader.Next(out ReadOnlySpan<byte> name, out _))
        {
            work.ThrowIfGivenUp();
            names.Add(name.ToArray());
        }
        names.Sort(static (a, b) => a.AsSpan().SequenceCompareTo(b));
        return names;
    }
}
