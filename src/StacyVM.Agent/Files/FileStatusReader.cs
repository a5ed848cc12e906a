using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>Asks the kernel what a path is, and puts the answer into the protocol's form.</summary>
internal static unsafe class FileStatusReader
{
    /// <summary>0, or the error number.</summary>
    internal static int Read(LinuxPath path, bool follow, out FileStatus status)
    {
        fixed (byte* p = path.Terminated)
            return ReadAt(At.WorkingDirectory, p, follow ? 0 : At.NoFollow, out status);
    }

    internal static int Read(int fd, out FileStatus status)
    {
        byte none = 0;
        return ReadAt(fd, &none, At.EmptyPath, out status);
    }

    internal static int ReadAt(int directory, byte* name, int flags, out FileStatus status)
    {
        fixed (FileStatus* s = &status)
            return Libc.StatusAt(directory, name, flags, At.BasicStatus, s) == 0 ? 0 : Errno.Last;
    }

    internal static void Write(RecordWriter writer, ReadOnlySpan<byte> path, in FileStatus status)
    {
        writer.Blob(path);
        writer.Byte((byte)(status.Type switch
        {
            FileType.Regular => FileKind.File,
            FileType.Directory => FileKind.Directory,
            FileType.Link => FileKind.SymbolicLink,
            _ => FileKind.Other,
        }));
        writer.Int64(status.IsFile ? (long)status.Size : 0);
        writer.UInt32(status.Permissions);
        writer.Int64(status.ModifiedSeconds);
    }
}
