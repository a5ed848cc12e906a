using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;

namespace StacyVM.Agent.Processes;

/// <summary>An unsupervised process of the host's launcher: a plain child, known by a descriptor that becomes readable when it ends.</summary>
internal sealed unsafe class DirectChild : IEventHandler, ITreeKeeper
{
    private const int ByDescriptor = 3, Exited = 4, NoHang = 1;
    private const int CodeExited = 1;
    private readonly EventLoop _loop;
    private readonly SandboxProcess _process;
    private readonly int _pid;
    private int _descriptor;

    internal DirectChild(EventLoop loop, SandboxProcess process, int pid)
    {
        (_loop, _process, _pid) = (loop, process, pid);
        _descriptor = (int)Libc.SystemCall(CallNumbers.OpenProcess, pid, 0, 0);
        if (_descriptor < 0)
            throw OperationFailure.Of(Errno.Last, "cannot watch the process");
        loop.Add(_descriptor, EpollEvents.In, this);
    }

    public void OnReady(int descriptor, uint events)
    {
        // siginfo_t: the code is the third int, the status the seventh.
        int* info = stackalloc int[32];
        if (Libc.WaitFor(ByDescriptor, _descriptor, (byte*)info, Exited | NoHang) != 0 || info[0] == 0)
            return;
        _loop.Close(ref _descriptor);
        _process.OnExited(info[2] == CodeExited ? info[6] << 8 : info[6] & 0x7f);
        _process.OnTreeGone();
    }

    public bool Kill()
    {
        if (_descriptor < 0)
            return false;
        // It leads a session and a group of its own, so the group holds what it started and has not let go.
        Libc.Kill(-_pid, Signals.Kill);
        return Libc.Kill(_pid, Signals.Kill) == 0;
    }
}
