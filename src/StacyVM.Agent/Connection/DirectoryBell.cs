using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;

namespace StacyVM.Agent.Connection;

/// <summary>Rings when something appears in a directory.</summary>
internal sealed unsafe class DirectoryBell : IEventHandler, IDisposable
{
    private readonly EventLoop _loop;
    private readonly Action _ring;
    private int _inotify;

    private DirectoryBell(EventLoop loop, int inotify, Action ring)
    {
        (_loop, _inotify, _ring) = (loop, inotify, ring);
        loop.Add(inotify, EpollEvents.In, this);
    }

    /// <summary>Null where the directory cannot be watched.</summary>
    internal static DirectoryBell? Create(EventLoop loop, LinuxPath directory, Action ring)
    {
        int inotify = Libc.InotifyCreate(OpenFlags.CloseOnExec | OpenFlags.NonBlocking);
        if (inotify < 0)
            return null;
        int watch;
        fixed (byte* path = directory.Terminated)
            watch = Libc.InotifyAdd(inotify, path, InotifyMask.Create | InotifyMask.MovedTo | InotifyMask.Attribute);
        if (watch >= 0)
            return new DirectoryBell(loop, inotify, ring);
        Libc.Close(inotify);
        return null;
    }

    public void OnReady(int descriptor, uint events)
    {
        byte* ignored = stackalloc byte[4096];
        while (Libc.Read(_inotify, ignored, 4096) > 0)
        {
        }
        _ring();
    }

    public void Dispose() => _loop.Close(ref _inotify);
}
