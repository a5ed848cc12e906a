using StacyVM.Agent.Connection;
using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>All processes that the host started and may still ask about.</summary>
internal sealed unsafe class ProcessTable(EventLoop loop, AgentOptions options)
{
    private const int MostRetained = 64;
    private const long MostRetainedBytes = 8 * 1024 * 1024;
    private const int StraysAgainMilliseconds = 20;
    private const int LastPasses = 16;
    private const int ByProcess = 1, Exited = 4;

    private readonly Dictionary<uint, SandboxProcess> _processes = [];
    private readonly List<SandboxProcess> _ended = [];
    private readonly HashSet<int> _supervisors = [];
    private readonly SpawnPlanner _planner = new(options);
    private readonly int _nothing = OpenNothing();
    private uint _lastNumber;
    private Loop.Timer? _strays;

    /// <summary>Processor time of all that has ended.</summary>
    internal long EndedCpuMicroseconds { get; private set; }

    internal ProcessChannel Start(AgentConnection connection, uint channel, StartProcessRequest request)
    {
        if (_processes.Count - _ended.Count >= options.MostAtOnce)
            throw new OperationFailure(AgentStatus.ResourceLimit, "too many processes of the host run already");
        using var arena = new NativeArena();
        SpawnPlan* plan = _planner.Plan(request, arena);
        SandboxProcess process = Launch(request, plan);
        _processes.Add(process.Number, process);
        return new ProcessChannel(connection, channel, process);
    }

    internal SandboxProcess Find(uint number) =>
        _processes.TryGetValue(number, out SandboxProcess? process)
            ? process
            : throw new OperationFailure(AgentStatus.NotFound, "no process " + number.ToString());

    internal IEnumerable<Action<RecordWriter>> List()
    {
        foreach (SandboxProcess process in _processes.Values.ToArray())
            yield return process.Describe().Write;
    }

    internal void AddCpu(long microseconds) => EndedCpuMicroseconds += microseconds;

    internal void OnEnded(SandboxProcess process)
    {
        if (!_processes.ContainsKey(process.Number))
            return;
        _ended.Add(process);
        long bytes = 0;
        foreach (SandboxProcess ended in _ended)
            bytes += ended.Output.Retained;
        while (_ended.Count > MostRetained || (bytes > MostRetainedBytes && _ended.Count > 1))
        {
            bytes -= _ended[0].Output.Retained;
            Forget(_ended[0]);
        }
    }

    internal void Forget(SandboxProcess process)
    {
        _ended.Remove(process);
        if (_processes.Remove(process.Number))
            process.Output.Dispose();
    }

    internal void OnSupervisorGone(int supervisor, bool orderly)
    {
        _supervisors.Remove(supervisor);
        // Inside a sandbox the kernel reaps; a launcher waits for its children, this one is at its very end.
        byte* ignored = stackalloc byte[128];
        if (options.IsLauncher)
            Libc.WaitFor(ByProcess, supervisor, ignored, Exited);
        else if (!orderly)
            KillStrays();
    }

    /// <summary>
    /// Ends every process of the host, those in the background too; the last thing an agent does. What a launcher started without
    /// supervision stays.
    /// </summary>
    internal void KillAll()
    {
        for (int pass = 0; pass < LastPasses; pass++)
        {
            int[] roots = options.IsLauncher ? [.. _supervisors] : [options.Pid];
            if (ProcessTree.KillBelow(roots))
                break;
        }
        foreach (int supervisor in _supervisors)
            Libc.Kill(supervisor, Signals.Kill);
        if (options.IsInit)
            Libc.Kill(-1, Signals.Kill);
    }

    private static int OpenNothing()
    {
        int fd = Descriptor.Open("/dev/null\0"u8, OpenFlags.ReadWrite);
        if (fd is >= 0 and <= 2)
            return Libc.Control(fd, ControlCommands.DuplicateCloseOnExec, 3);
        return fd;
    }

    /// <summary>Whoever kills a supervisor hands its children to the agent. They are ended, until none comes any more.</summary>
    private void KillStrays()
    {
        loop.Timers.Stop(ref _strays);
        if (!ProcessTree.KillStrays(options.Pid, _supervisors))
            _strays = loop.Timers.Start(StraysAgainMilliseconds, KillStrays);
    }

    private SandboxProcess Launch(StartProcessRequest request, SpawnPlan* plan)
    {
        bool supervised = (request.Flags & ProcessFlags.Unsupervised) == 0;
        var streams = new ProcessStreams();
        try
        {
            streams.Open(request, plan, _nothing);
            if (supervised)
                streams.OpenReport(plan);
            int pid = Spawner.Start(plan);
            if (pid < 0)
                throw new OperationFailure(Errno.Status(-pid), "cannot start a process: " + Errno.Describe(-pid));
            var process = new SandboxProcess(loop, this, ++_lastNumber, request);
            streams.CloseCommandEnds();
            ITreeKeeper keeper = supervised
                ? new SupervisedTree(loop, this, process, pid, streams.TakeReport(), plan->Mark)
                : new DirectChild(loop, process, pid);
            if (supervised)
                _supervisors.Add(pid);
            streams.HandOver(loop, process, keeper);
            if (!supervised)
            {
                (SpawnStage stage, int errno) = (plan->FailedStage, plan->FailedErrno);
                process.WhenOpened(stage == SpawnStage.None ? () => process.OnStarted(pid) : () => process.OnStartFailed(stage, errno));
            }
            return process;
        }
        catch
        {
            streams.CloseAll();
            throw;
        }
    }
}
