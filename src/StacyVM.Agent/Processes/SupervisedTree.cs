using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;

namespace StacyVM.Agent.Processes;

/// <summary>The agent's end of a <see cref="Supervisor"/>: hears how its command fares, and ends the tree below it.</summary>
internal sealed unsafe class SupervisedTree : IEventHandler, ITreeKeeper
{
    private const int FirstLookMilliseconds = 2, LongestLookMilliseconds = 200;
    private const int EmptyLooksBeforeSupervisor = 3;
    private readonly EventLoop _loop;
    private readonly ProcessTable _table;
    private readonly SandboxProcess _process;
    private readonly int _supervisor;
    private readonly long _mark;
    private int _report, _emptyLooks;
    private int _nextLook = FirstLookMilliseconds;
    private Loop.Timer? _look;

    internal SupervisedTree(EventLoop loop, ProcessTable table, SandboxProcess process, int supervisor, int report, long mark)
    {
        (_loop, _table, _process, _supervisor, _report, _mark) = (loop, table, process, supervisor, report, mark);
        Descriptor.SetNonBlocking(report);
        loop.Add(report, EpollEvents.In, this);
    }

    public void OnReady(int descriptor, uint events)
    {
        const int most = 4;
        SupervisorReport* reports = stackalloc SupervisorReport[most];
        nint length = Libc.Read(_report, reports, (nuint)(most * sizeof(SupervisorReport)));
        if (length < 0 && Errno.Last is Errno.TryAgain or Errno.Interrupted)
            return;
        bool last = false;
        for (int i = 0; i < length / sizeof(SupervisorReport); i++)
            last |= Hear(reports[i]);
        if (last)
            Gone(orderly: true);
        else if (length <= 0)
            Gone(orderly: false);
    }

    public bool Kill()
    {
        if (_report < 0)
            return false;
        _loop.Timers.Stop(ref _look);
        Look();
        return true;
    }

    private bool Hear(in SupervisorReport report)
    {
        switch (report.Word)
        {
            case SupervisorWord.Started:
                _process.OnStarted(report.Value);
                return false;
            case SupervisorWord.Failed:
                _process.OnStartFailed((SpawnStage)(report.Value >> 16), report.Value & 0xffff);
                return false;
            case SupervisorWord.Exited:
                _process.OnExited(report.Value);
                return false;
            case SupervisorWord.ExitedLast:
                _table.AddCpu(report.CpuMicroseconds);
                _process.OnExited(report.Value);
                return true;
            default:
                _table.AddCpu(report.CpuMicroseconds);
                return true;
        }
    }

    /// <summary>One pass over the tree, and another a little later until the supervisor has said its last word.</summary>
    private void Look()
    {
        _look = null;
        bool nothing = ProcessTree.KillBelow([_supervisor], _mark);
        // A guest that could stop its supervisor would keep its dead from being buried.
        Libc.Kill(_supervisor, Signals.Continue);
        _emptyLooks = nothing ? _emptyLooks + 1 : 0;
        if (_emptyLooks >= EmptyLooksBeforeSupervisor)
            Libc.Kill(_supervisor, Signals.Kill);
        _look = _loop.Timers.Start(_nextLook, Look);
        _nextLook = Math.Min(_nextLook * 2, LongestLookMilliseconds);
    }

    private void Gone(bool orderly)
    {
        _loop.Timers.Stop(ref _look);
        _loop.Close(ref _report);
        _table.OnSupervisorGone(_supervisor, orderly);
        _process.OnTreeGone();
    }
}
