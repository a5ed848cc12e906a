using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>Copies a file, link or directory as it is, with modes, owners where allowed, and times.</summary>
internal static unsafe class TreeCopy
{
    private const nuint StepBytes = 1 << 30;
    private const int BufferBytes = 32 * 1024;
    private const int DeepestLevel = 256;

    internal static void Copy(LinuxPath from, LinuxPath to, WorkChannel work, int depth = 0)
    {
        work.ThrowIfGivenUp();
        if (depth > DeepestLevel)
            throw new OperationFailure(AgentStatus.InvalidPath, from + ": is too deep to copy");
        int errno = FileStatusReader.Read(from, follow: false, out FileStatus status);
        if (errno != 0)
            throw OperationFailure.Of(errno, from.ToString());
        fixed (byte* target = to.Terminated)
        {
            switch (status.Type)
            {
                case FileType.Directory:
                    Check(Libc.MakeDirectoryAt(At.WorkingDirectory, target, 0x1C0), to);
                    CopyEntries(from, to, work, depth);
                    break;
                case FileType.Regular:
                    CopyContent(from, to, work);
                    break;
                case FileType.Link:
                    CopyLink(from, to);
                    break;
                default:
                    Check(Libc.MakeNodeAt(At.WorkingDirectory, target, status.Mode, 0), to);
                    break;
            }
            Libc.ChangeOwnerAt(At.WorkingDirectory, target, status.User, status.Group, At.NoFollow);
            if (!status.IsLink)
                Libc.ChangeModeAt(At.WorkingDirectory, target, status.Permissions, 0);
            TimeSpec* times = stackalloc TimeSpec[2];
            times[0] = new TimeSpec { Seconds = status.AccessedSeconds, Nanoseconds = status.AccessedNanoseconds };
            times[1] = new TimeSpec { Seconds = status.ModifiedSeconds, Nanoseconds = status.ModifiedNanoseconds };
            Libc.SetTimesAt(At.WorkingDirectory, target, times, At.NoFollow);
        }
    }

    private static void CopyEntries(LinuxPath from, LinuxPath to, WorkChannel work, int depth)
    {
        List<byte[]> names;
        int fd = Descriptor.Open(from, OpenFlags.ReadOnly | OpenFlags.Directory | OpenFlags.NoFollow);
        Check(fd, from);
        using (var reader = new DirectoryReader(fd))
            names = ListOperation.Names(reader, work);
        foreach (byte[] name in names)
            Copy(from.Append(name), to.Append(name), work, depth + 1);
    }

    private static void CopyLink(LinuxPath from, LinuxPath to)
    {
        byte* text = stackalloc byte[4097];
        fixed (byte* source = from.Terminated, target = to.Terminated)
        {
            nint length = Libc.ReadLinkAt(At.WorkingDirectory, source, text, 4096);
            Check((int)length, from);
            text[length] = 0;
            Check(Libc.SymlinkAt(text, At.WorkingDirectory, target), to);
        }
    }

    private static void CopyContent(LinuxPath from, LinuxPath to, WorkChannel work)
    {
        int source = Descriptor.Open(from, OpenFlags.ReadOnly | OpenFlags.NoFollow | OpenFlags.NonBlocking);
        Check(source, from);
        int target = -1;
        try
        {
            target = Descriptor.Open(to, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, 0x180);
            Check(target, to);
            while (true)
            {
                work.ThrowIfGivenUp();
                nint count = Libc.CopyRange(source, null, target, null, StepBytes, 0);
                if (count < 0 && Errno.Last is Errno.CrossDevice or Errno.NotImplemented or Errno.Invalid or Errno.NotSupported)
                    count = CopyByHand(source, target);
                if (count == 0)
                    return;
                Check((int)Math.Clamp(count, -1, 1), to);
            }
        }
        finally
        {
            Descriptor.Close(ref source);
            Descriptor.Close(ref target);
        }
    }

    /// <summary>For pairs of file systems between which the kernel does not copy.</summary>
    private static nint CopyByHand(int source, int target)
    {
        byte* buffer = stackalloc byte[BufferBytes];
        nint count = Libc.Read(source, buffer, BufferBytes);
        for (nint done = 0; done < count;)
        {
            nint written = Libc.Write(target, buffer + done, (nuint)(count - done));
            if (written < 0)
                return -1;
            done += written;
        }
        return count;
    }

    private static void Check(int result, LinuxPath path)
    {
        if (result < 0)
            throw OperationFailure.Of(Errno.Last, path.ToString());
    }
}
