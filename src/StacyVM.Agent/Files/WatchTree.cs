using System.Runtime.InteropServices;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

internal delegate void WatchListener(WatchEventKind kind, ReadOnlySpan<byte> path);

/// <summary>The inotify watches of one directory, or of a whole tree of them that grows and shrinks.</summary>
internal sealed unsafe class WatchTree(LinuxPath root, bool recursive) : IDisposable
{
    private const uint Mask = InotifyMask.Modify | InotifyMask.Attribute | InotifyMask.MovedFrom | InotifyMask.MovedTo
        | InotifyMask.Create | InotifyMask.Delete | InotifyMask.DeleteSelf | InotifyMask.MoveSelf | InotifyMask.OnlyDirectory;
    private const int MostDirectories = 65_536;
    private const int EventHead = 16;
    private const byte KindUnknown = 0, KindDirectory = 4;
    private readonly Dictionary<int, LinuxPath> _directories = [];
    private int _fd = -1;

    internal int Fd => _fd;

    /// <summary>Sets up the watches; throws <see cref="OperationFailure"/>.</summary>
    internal void Begin()
    {
        _fd = Libc.InotifyCreate(OpenFlags.CloseOnExec | OpenFlags.NonBlocking);
        if (_fd < 0)
            throw OperationFailure.Of(Errno.Last, "inotify");
        int errno = Add(root, null);
        if (errno != 0)
            throw Failure(errno, root);
    }

    /// <summary>Turns the kernel's records into events of paths.</summary>
    internal void Translate(ReadOnlySpan<byte> records, WatchListener tell)
    {
        // struct inotify_event: s32 watch, u32 mask, u32 cookie, u32 length of the name, name padded with NULs.
        while (records.Length >= EventHead)
        {
            int watch = MemoryMarshal.Read<int>(records);
            uint mask = MemoryMarshal.Read<uint>(records[4..]);
            int nameLength = (int)MemoryMarshal.Read<uint>(records[12..]);
            ReadOnlySpan<byte> name = records.Slice(EventHead, nameLength);
            int nul = name.IndexOf((byte)0);
            name = nul < 0 ? name : name[..nul];
            records = records[(EventHead + nameLength)..];
            if ((mask & InotifyMask.Overflow) != 0)
                tell(WatchEventKind.Overflow, root.Bytes);
            else if (_directories.TryGetValue(watch, out LinuxPath directory))
                Translate(watch, mask, directory, name, tell);
        }
    }

    public void Dispose() => Descriptor.Close(ref _fd);

    private void Translate(int watch, uint mask, LinuxPath directory, ReadOnlySpan<byte> name, WatchListener tell)
    {
        if ((mask & InotifyMask.Ignored) != 0)
        {
            _directories.Remove(watch);
            return;
        }
        if (name.IsEmpty)
        {
            // Of a directory below the root the one above it tells the same.
            if (directory.Bytes.SequenceEqual(root.Bytes) && Kind(mask) is { } own)
                tell(own, directory.Bytes);
            return;
        }
        LinuxPath path = directory.Append(name);
        if (Kind(mask) is { } kind)
            tell(kind, path.Bytes);
        if (!recursive || (mask & InotifyMask.IsDirectory) == 0)
            return;
        if ((mask & (InotifyMask.Create | InotifyMask.MovedTo)) != 0)
            // What was made in it before the watch stood is told now, perhaps twice, never missed.
            Add(path, tell);
        else if ((mask & InotifyMask.MovedFrom) != 0)
            Leave(path);
    }

    private static WatchEventKind? Kind(uint mask) => mask switch
    {
        _ when (mask & (InotifyMask.Create | InotifyMask.MovedTo)) != 0 => WatchEventKind.Created,
        _ when (mask & InotifyMask.Modify) != 0 => WatchEventKind.Written,
        _ when (mask & (InotifyMask.Delete | InotifyMask.DeleteSelf)) != 0 => WatchEventKind.Removed,
        _ when (mask & (InotifyMask.MovedFrom | InotifyMask.MoveSelf)) != 0 => WatchEventKind.Renamed,
        _ when (mask & InotifyMask.Attribute) != 0 => WatchEventKind.ModeChanged,
        _ => null,
    };

    /// <summary>Watches a directory, and those below it; 0 or the error number of the first.</summary>
    private int Add(LinuxPath top, WatchListener? tell)
    {
        var pending = new Stack<LinuxPath>([top]);
        while (pending.TryPop(out LinuxPath directory))
        {
            bool isTop = directory.Bytes.SequenceEqual(top.Bytes);
            if (_directories.Count >= MostDirectories)
                throw new OperationFailure(AgentStatus.ResourceLimit, "more than 65,536 directories to watch");
            int watch;
            fixed (byte* p = directory.Terminated)
                watch = Libc.InotifyAdd(_fd, p, isTop && tell is null ? Mask : Mask | InotifyMask.NoFollow);
            if (watch < 0)
            {
                int errno = Errno.Last;
                if (isTop)
                    return errno;
                // One that went away meanwhile is no loss; running out of watches is.
                if (errno is Errno.NoSpace && tell is null)
                    throw Failure(errno, directory);
                continue;
            }
            _directories[watch] = directory;
            if (recursive)
                Descend(directory, pending, tell);
        }
        return 0;
    }

    private static void Descend(LinuxPath directory, Stack<LinuxPath> pending, WatchListener? tell)
    {
        int fd = Descriptor.Open(directory, OpenFlags.ReadOnly | OpenFlags.Directory);
        if (fd < 0)
            return;
        using var reader = new DirectoryReader(fd);
        while (reader.Next(out ReadOnlySpan<byte> name, out byte kind))
        {
            if (tell is null && kind is not (KindDirectory or KindUnknown))
                continue;
            LinuxPath path = directory.Append(name);
            tell?.Invoke(WatchEventKind.Created, path.Bytes);
            if (kind == KindDirectory || (kind == KindUnknown
                && FileStatusReader.Read(path, follow: false, out FileStatus status) == 0 && status.IsDirectory))
                pending.Push(path);
        }
    }

    /// <summary>A directory was moved out of its place: what is watched below it has no name here any more.</summary>
    private void Leave(LinuxPath moved)
    {
        foreach ((int watch, LinuxPath path) in _directories.ToArray())
        {
            ReadOnlySpan<byte> bytes = path.Bytes;
            if (!bytes.StartsWith(moved.Bytes) || (bytes.Length > moved.Bytes.Length && bytes[moved.Bytes.Length] != '/'))
                continue;
            Libc.InotifyRemove(_fd, watch);
            _directories.Remove(watch);
        }
    }

    private static OperationFailure Failure(int errno, LinuxPath path) => errno == Errno.NoSpace
        ? new OperationFailure(AgentStatus.ResourceLimit, path + ": no more watches are allowed")
        : OperationFailure.Of(errno, path.ToString());
}
