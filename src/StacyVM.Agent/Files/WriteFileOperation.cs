using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>
/// Replaces a file: the new content grows beside it under a name of its own, and one rename puts it in place. What is no regular file
/// (a device, a pipe) and what is appended to is written as it lies.
/// </summary>
internal sealed unsafe class WriteFileOperation(LinuxPath path, uint mode, bool append) : IOperation
{
    private const uint DefaultMode = 0x1A4;
    private const int PollMilliseconds = 100;
    private const short ReadyToWrite = 4;

    public void Run(WorkChannel work)
    {
        if (mode != WriteFileRequest.KeepMode && mode > 0xFFF)
            throw new OperationFailure(AgentStatus.InvalidArgument, "a mode has 12 bits");
        LinuxPath target = LinkResolver.Resolve(path);
        int errno = FileStatusReader.Read(target, follow: false, out FileStatus existing);
        if (errno is not (0 or Errno.NoEntry))
            throw OperationFailure.Of(errno, path.ToString());
        if (errno == 0 && existing.IsDirectory)
            throw OperationFailure.Of(Errno.IsDirectory, path.ToString());
        if (errno != 0)
            DirectoryMaker.MakeParents(target);

        long bytes = append || (errno == 0 && !existing.IsFile)
            ? WriteInPlace(work, target)
            : Replace(work, target, errno == 0 ? existing : null);
        new WriteFileResult(bytes).Write(work.Body);
    }

    private long WriteInPlace(WorkChannel work, LinuxPath target)
    {
        int flags = OpenFlags.WriteOnly | OpenFlags.NonBlocking | OpenFlags.NoTerminal | (append ? OpenFlags.Append | OpenFlags.Create : 0);
        int fd = Descriptor.Open(target, flags, mode == WriteFileRequest.KeepMode ? DefaultMode : mode);
        if (fd < 0)
            throw OperationFailure.Of(Errno.Last, path.ToString());
        try
        {
            long bytes = Pour(work, fd);
            if (append && mode != WriteFileRequest.KeepMode)
                Libc.ChangeMode(fd, mode);
            return bytes;
        }
        finally
        {
            Libc.Close(fd);
        }
    }

    private long Replace(WorkChannel work, LinuxPath target, FileStatus? existing)
    {
        LinuxPath draft = TemporaryName.Beside(target);
        int fd = Descriptor.Open(draft, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
        if (fd < 0)
            throw OperationFailure.Of(Errno.Last, path.ToString());
        bool placed = false;
        try
        {
            long bytes = Pour(work, fd);
            // The owner first: changing it clears bits of the mode.
            if (existing is { } old)
                Libc.ChangeOwner(fd, old.User, old.Group);
            uint bits = mode != WriteFileRequest.KeepMode ? mode : existing?.Permissions ?? DefaultMode;
            if (Libc.ChangeMode(fd, bits) != 0)
                throw OperationFailure.Of(Errno.Last, path.ToString());
            fixed (byte* from = draft.Terminated, to = target.Terminated)
                if (Libc.RenameAt(At.WorkingDirectory, from, At.WorkingDirectory, to) != 0)
                    throw OperationFailure.Of(Errno.Last, path.ToString());
            placed = true;
            return bytes;
        }
        finally
        {
            Libc.Close(fd);
            if (!placed)
                fixed (byte* name = draft.Terminated)
                    Libc.UnlinkAt(At.WorkingDirectory, name, 0);
        }
    }

    private long Pour(WorkChannel work, int fd)
    {
        long total = 0;
        while (true)
        {
            ReadOnlySpan<byte> input = work.NextInput();
            if (input.IsEmpty)
                return total;
            total += input.Length;
            while (!input.IsEmpty)
            {
                nint count;
                fixed (byte* p = input)
                    count = Libc.Write(fd, p, (nuint)input.Length);
                if (count >= 0)
                    input = input[(int)count..];
                else if (Errno.Last == Errno.TryAgain)
                    WaitForRoom(work, fd);
                else if (Errno.Last != Errno.Interrupted)
                    throw OperationFailure.Of(Errno.Last, path.ToString());
            }
        }
    }

    /// <summary>A pipe is full: nobody promises that it will ever be read, so the host's patience decides.</summary>
    private static void WaitForRoom(WorkChannel work, int fd)
    {
        work.ThrowIfGivenUp();
        PollEntry entry = new() { Descriptor = fd, Wanted = ReadyToWrite };
        Libc.Poll(&entry, 1, PollMilliseconds);
    }
}
