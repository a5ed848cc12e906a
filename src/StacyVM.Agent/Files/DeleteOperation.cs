using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

internal sealed class DeleteOperation(LinuxPath path, bool recursive) : IOperation
{
    public void Run(WorkChannel work)
    {
        if (path.IsRoot || path.Name.SequenceEqual(".."u8))
            throw new OperationFailure(AgentStatus.InvalidArgument, path + ": cannot be deleted");
        TreeDeletion.Delete(path, recursive, work);
    }
}

/// <summary>
/// Deletes without ever following a link: each directory is opened under the one above it and emptied by its descriptor. One descriptor at
/// a time, however deep the tree; on the way up, the parent is known again by its inode, so that a directory moved meanwhile leads
/// nowhere else.
/// </summary>
internal static unsafe class TreeDeletion
{
    private const int OpenFlagsOfLevel = OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow | OpenFlags.CloseOnExec;

    internal static void Delete(LinuxPath path, bool recursive, WorkChannel work)
    {
        fixed (byte* p = path.Terminated)
        {
            if (Libc.UnlinkAt(At.WorkingDirectory, p, 0) == 0)
                return;
            // For a directory some file systems say that it is one, others that it is not permitted.
            int errno = Errno.Last;
            if (FileStatusReader.Read(path, follow: false, out FileStatus status) != 0 || !status.IsDirectory)
                throw OperationFailure.Of(errno, path.ToString());
            if (Libc.UnlinkAt(At.WorkingDirectory, p, At.RemoveDirectory) == 0)
                return;
            if (Errno.Last is not (Errno.NotEmpty or Errno.Exists) || !recursive)
                throw OperationFailure.Of(Errno.Last == Errno.Exists ? Errno.NotEmpty : Errno.Last, path.ToString());
            Empty(path, work);
            if (Libc.UnlinkAt(At.WorkingDirectory, p, At.RemoveDirectory) != 0)
                throw OperationFailure.Of(Errno.Last, path.ToString());
        }
    }

    private static void Empty(LinuxPath path, WorkChannel work)
    {
        var above = new Stack<(FileStatus Identity, byte[] Name)>();
        int fd = Descriptor.Open(path, OpenFlagsOfLevel);
        try
        {
            while (true)
            {
                work.ThrowIfGivenUp();
                if (fd < 0)
                    throw OperationFailure.Of(Errno.Last, path.ToString());
                byte[]? deeper = Sweep(fd, path);
                if (deeper is not null)
                {
                    FileStatusReader.Read(fd, out FileStatus identity);
                    above.Push((identity, deeper));
                    fixed (byte* name = deeper)
                        Enter(ref fd, name);
                }
                else if (above.TryPop(out (FileStatus Identity, byte[] Name) level))
                {
                    fixed (byte* up = "..\0"u8)
                        Enter(ref fd, up);
                    if (fd < 0 || FileStatusReader.Read(fd, out FileStatus found) != 0 || !found.SameAs(level.Identity))
                        throw new OperationFailure(AgentStatus.Busy, path + ": was moved while it was deleted");
                    fixed (byte* name = level.Name)
                        if (Libc.UnlinkAt(fd, name, At.RemoveDirectory) != 0 && Errno.Last is not (Errno.NoEntry or Errno.NotEmpty))
                            throw OperationFailure.Of(Errno.Last, path.ToString());
                }
                else
                {
                    return;
                }
            }
        }
        finally
        {
            Descriptor.Close(ref fd);
        }
    }

    /// <summary>Removes what can be removed at once; the name, NUL included, of the first directory that is not empty.</summary>
    private static byte[]? Sweep(int fd, LinuxPath path)
    {
        int own;
        fixed (byte* here = ".\0"u8)
            own = Libc.OpenAt(fd, here, OpenFlagsOfLevel, 0);
        if (own < 0)
            throw OperationFailure.Of(Errno.Last, path.ToString());
        using var reader = new DirectoryReader(own);
        while (reader.Next(out ReadOnlySpan<byte> name, out _))
        {
            fixed (byte* p = name)
            {
                if (Libc.UnlinkAt(fd, p, 0) == 0 || Errno.Last == Errno.NoEntry)
                    continue;
                int errno = Errno.Last;
                if (Libc.UnlinkAt(fd, p, At.RemoveDirectory) == 0)
                    continue;
                if (Errno.Last is Errno.NotEmpty or Errno.Exists)
                    return [.. name, 0];
                throw OperationFailure.Of(errno == Errno.IsDirectory ? Errno.Last : errno, path + ": " + System.Text.Encoding.UTF8.GetString(name));
            }
        }
        return null;
    }

    private static void Enter(ref int fd, byte* name)
    {
        int next = Libc.OpenAt(fd, name, OpenFlagsOfLevel, 0);
        int errno = Errno.Last;
        Descriptor.Close(ref fd);
        fd = next;
        System.Runtime.InteropServices.Marshal.SetLastPInvokeError(errno);
    }
}
