using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

internal sealed unsafe class ReadFileOperation(LinuxPath path, long offset, long length) : IOperation
{
    public void Run(WorkChannel work)
    {
        if (offset < 0 || length < 0)
            throw new OperationFailure(AgentStatus.InvalidArgument, "offset and length cannot be negative");
        int fd = Descriptor.Open(path, OpenFlags.ReadOnly | OpenFlags.NonBlocking | OpenFlags.NoTerminal);
        if (fd < 0)
            throw OperationFailure.Of(Errno.Last, path.ToString());
        try
        {
            Send(work, fd);
        }
        finally
        {
            Libc.Close(fd);
        }
    }

    private void Send(WorkChannel work, int fd)
    {
        int errno = FileStatusReader.Read(fd, out FileStatus status);
        if (errno != 0)
            throw OperationFailure.Of(errno, path.ToString());
        if (status.IsDirectory)
            throw OperationFailure.Of(Errno.IsDirectory, path.ToString());
        if (status.Type is FileType.Fifo or FileType.Socket)
            throw new OperationFailure(AgentStatus.InvalidArgument, path + ": is a pipe or a socket, not a file");
        var entry = new RecordWriter();
        FileStatusReader.Write(entry, path.Bytes, status);
        work.SendReply(entry.Written);

        long at = offset, left = length;
        // What the kernel makes up as it is read, under /proc and in devices, has no size and no place to start from.
        bool sized = status.IsFile && status.Size > 0;
        while (left > 0)
        {
            long guess = sized ? Math.Max((long)status.Size - at, 0) + 1 : AgentProtocol.MaxPayload;
            Span<byte> room = work.ReserveOutput(Math.Min(left, guess));
            nint count;
            fixed (byte* p = room)
                count = status.IsFile ? Libc.ReadAt(fd, p, (nuint)room.Length, at) : Libc.Read(fd, p, (nuint)room.Length);
            if (count == 0)
                return;
            if (count < 0)
            {
                if (Errno.Last == Errno.Interrupted)
                    continue;
                throw Errno.Last == Errno.TryAgain
                    ? new OperationFailure(AgentStatus.Busy, path + ": has nothing to read now")
                    : OperationFailure.Of(Errno.Last, path.ToString());
            }
            work.SendOutput((int)count);
            at += count;
            left -= count;
        }
    }
}
