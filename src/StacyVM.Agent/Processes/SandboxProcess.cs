using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>
/// A process that the host started: its output, input, time and end. It has ended when the command is over and its output is complete;
/// children that it left in the background may live on, and are nobody's business unless the whole tree is killed by its number.
/// </summary>
internal sealed unsafe class SandboxProcess
{
    /// <summary>Children in the background can hold the output open for ever; so long is waited for what they say at once.</summary>
    private const int GraceMilliseconds = 150;

    private readonly EventLoop _loop;
    private readonly ProcessTable _table;
    private readonly List<ProcessChannel> _channels = [];
    private readonly List<ProcessChannel> _cancelled = [];
    private readonly long _started = Clock.Microseconds;
    private OutputPipe? _stdout, _stderr;
    private CommandInput? _input;
    private ITreeKeeper? _keeper;
    private Loop.Timer? _timeout, _grace;
    private Action? _whenOpened;
    private int _master = -1;
    private ExitFlags _why;
    private bool _exited;

    internal SandboxProcess(EventLoop loop, ProcessTable table, uint number, StartProcessRequest request)
    {
        (_loop, _table, Number) = (loop, table, number);
        Command = Summary(request.Arguments);
        IsDetached = IsRetained = (request.Flags & ProcessFlags.Detached) != 0;
        IsTerminal = (request.Flags & ProcessFlags.Terminal) != 0;
        Output = new OutputLog(request.TailBytes);
        StartedAt = Clock.UnixMicroseconds;
        if (request.TimeoutMilliseconds > 0)
            _timeout = loop.Timers.Start((long)Math.Min(request.TimeoutMilliseconds, int.MaxValue), OnTimeout);
    }

    internal uint Number { get; }

    internal string Command { get; }

    internal long StartedAt { get; }

    internal bool IsTerminal { get; }

    /// <summary>Outlives its channels by wish of the host.</summary>
    internal bool IsDetached { get; }

    /// <summary>Its end is kept for a host that comes back.</summary>
    internal bool IsRetained { get; private set; }

    internal int Pid { get; private set; }

    internal OutputLog Output { get; }

    /// <summary>Over, and its output complete; <see cref="Exit"/> is known.</summary>
    internal bool HasEnded { get; private set; }

    internal ProcessExit Exit { get; private set; }

    /// <summary>Takes over what a start has made.</summary>
    internal void Adopt(ITreeKeeper keeper, OutputPipe? stdout, OutputPipe? stderr, CommandInput? input, int master)
    {
        (_keeper, _stdout, _stderr, _input, _master) = (keeper, stdout, stderr, input, master);
    }

    /// <summary>What is known of the start already, told once there is someone to tell.</summary>
    internal void WhenOpened(Action tell) => _whenOpened = tell;

    internal void OnChannelOpened(ProcessChannel channel)
    {
        _channels.Add(channel);
        _whenOpened?.Invoke();
        _whenOpened = null;
    }

    internal void OnChannelClosed(ProcessChannel channel)
    {
        _channels.Remove(channel);
        _cancelled.Remove(channel);
        ResumeOutput();
        ForgetIfDone();
    }

    /// <summary>A second reader: output from an offset on.</summary>
    internal void Attach(ProcessChannel channel, ulong offset)
    {
        // A host that takes the process up again sees its end itself.
        IsRetained = IsDetached;
        _channels.Add(channel);
        ulong begin = Math.Clamp(offset, Output.Start, Output.End);
        var reply = new RecordWriter();
        new ProcessAttached((uint)Pid, begin).Write(reply);
        channel.Replied(reply.Written, begin);
        channel.OnWritable();
    }

    internal void Retain() => IsRetained = true;

    internal void OnStarted(int pid)
    {
        Pid = pid;
        foreach (ProcessChannel channel in _channels.ToArray())
            TellStarted(channel);
    }

    /// <summary>The command never ran. What a shell would report becomes an exit, the rest is a refusal.</summary>
    internal void OnStartFailed(SpawnStage stage, int errno)
    {
        if (stage == SpawnStage.Execute)
        {
            OnStarted(Pid);
            bool missing = errno is Errno.NoEntry or Errno.NotDirectory;
            string reason = missing ? "command not found" : Errno.Describe(errno);
            string program = Command.Split(' ')[0];
            Output.Append(DataStream.Error, System.Text.Encoding.UTF8.GetBytes("stacyvm: " + program + ": " + reason + "\n"));
            OnExited(missing ? 127 << 8 : 126 << 8);
            return;
        }
        (AgentStatus status, string what) = stage switch
        {
            SpawnStage.WorkingDirectory => (AgentStatus.InvalidArgument, "invalid working directory"),
            SpawnStage.User => (Errno.Status(errno), "cannot become the user"),
            SpawnStage.Cgroup => (Errno.Status(errno), "cannot join the cgroup"),
            SpawnStage.Limits => (Errno.Status(errno), "cannot set a resource limit"),
            SpawnStage.Files => (Errno.Status(errno), "cannot open a file for the process"),
            SpawnStage.Terminal => (Errno.Status(errno), "cannot take the terminal"),
            _ => (Errno.Status(errno), "cannot start a process"),
        };
        foreach (ProcessChannel channel in _channels.ToArray())
            channel.Refuse(status, what + ": " + Errno.Describe(errno));
        IsRetained = false;
        OnExited(127 << 8);
    }

    /// <summary>The command is over; <paramref name="waitStatus"/> as <c>wait(2)</c> gives it.</summary>
    internal void OnExited(int waitStatus)
    {
        if (_exited)
            return;
        _exited = true;
        _loop.Timers.Stop(ref _timeout);
        int signal = waitStatus & 0x7f;
        Exit = new ProcessExit(
            signal != 0 ? 128 + signal : waitStatus >> 8 & 0xff, signal, _why, (ulong)(Clock.Microseconds - _started), 0);
        CheckEnded();
    }

    internal void OnOutputEnd()
    {
        // The terminal's master was the first of the two streams, and is closed with it.
        if (_stdout is { AtEnd: true })
            _master = -1;
        CheckEnded();
    }

    internal Span<byte> ReserveOutput()
    {
        ulong keep = Output.End;
        foreach (ProcessChannel channel in _channels)
            keep = Math.Min(keep, channel.Cursor);
        return Output.Reserve(keep);
    }

    internal void CommitOutput(DataStream stream, int count)
    {
        Output.Commit(stream, count);
        Pump();
    }

    internal void ResumeOutput()
    {
        bool waits = _stdout is { IsPaused: true } || _stderr is { IsPaused: true };
        if (!waits || (!HasEnded && ReserveOutput().IsEmpty))
            return;
        _stdout?.Resume();
        _stderr?.Resume();
    }

    internal void WriteInput(ProcessChannel channel, ReadOnlySpan<byte> data)
    {
        if (_input is null)
            channel.InputConsumed(data.Length);
        else
            _input.Add(channel, data);
    }

    internal void EndInput() => _input?.End();

    internal void Resize(ushort columns, ushort rows)
    {
        if (_master >= 0 && columns > 0 && rows > 0)
            Terminal.SetSize(_master, columns, rows);
    }

    /// <summary>False when there is nothing to signal any more.</summary>
    internal bool Signal(int signal)
    {
        if (_exited || Pid == 0 || signal is < 1 or > 64)
            return false;
        int group = _master >= 0 ? Terminal.ForegroundGroup(_master) : 0;
        return Libc.Kill(group > 0 ? -group : -Pid, signal) == 0;
    }

    /// <summary>Ends the whole tree. False when nothing of it is left.</summary>
    internal bool Kill(ExitFlags why)
    {
        if (!_exited)
            _why |= why;
        return _keeper is not null && _keeper.Kill();
    }

    /// <summary>The host gives up; the channel is closed when the tree is dead.</summary>
    internal void Cancel(ProcessChannel channel)
    {
        if (_exited)
        {
            // What lives on in the background is no longer this exec's.
            EndNow();
            channel.CloseCancelled();
            return;
        }
        _cancelled.Add(channel);
        channel.StopReading();
        ResumeOutput();
        Kill(ExitFlags.Killed);
    }

    /// <summary>Nothing keeps the tree any more.</summary>
    internal void OnTreeGone()
    {
        _keeper = null;
        if (!_exited)
        {
            // The supervisor may have been killed before it could even say that the command runs.
            if (Pid == 0)
                OnStarted(0);
            _why |= ExitFlags.Killed;
            OnExited(Signals.Kill);
        }
        ForgetIfDone();
    }

    internal ProcessEntry Describe() =>
        new(Number, (uint)Pid, Command, StartedAt, !HasEnded, Exit, Output.End, IsTerminal);

    private void TellStarted(ProcessChannel channel)
    {
        var reply = new RecordWriter();
        new ProcessStarted(Number, (uint)Pid).Write(reply);
        channel.Replied(reply.Written, 0);
        // A quick command has written before its supervisor could tell that it runs.
        channel.OnWritable();
    }

    private void Pump()
    {
        for (int i = _channels.Count - 1; i >= 0; i--)
            _channels[i].OnWritable();
    }

    private void OnTimeout()
    {
        _timeout = null;
        Kill(ExitFlags.TimedOut);
    }

    private void CheckEnded()
    {
        if (!_exited || HasEnded)
            return;
        if (_stdout is null or { AtEnd: true } && _stderr is null or { AtEnd: true })
            EndNow();
        else
            _grace ??= _loop.Timers.Start(GraceMilliseconds, OnGrace);
    }

    private void OnGrace()
    {
        _grace = null;
        // On a busy machine the time may be up before the loop has come to what was written long ago.
        _stdout?.Catch();
        _stderr?.Catch();
        // What a slow reader has not made room for yet was written in time.
        bool unread = _stdout is { IsPaused: true } || _stderr is { IsPaused: true };
        if (unread && _cancelled.Count == 0)
            CheckEnded();
        else
            EndNow();
    }

    private void EndNow()
    {
        if (HasEnded)
            return;
        HasEnded = true;
        _master = -1;
        _loop.Timers.Stop(ref _grace);
        Exit = Exit with { OutputBytes = Output.End };
        _input?.Close();
        _stdout?.Resume();
        _stderr?.Resume();
        foreach (ProcessChannel channel in _cancelled.ToArray())
            channel.CloseCancelled();
        Pump();
        _table.OnEnded(this);
        ForgetIfDone();
    }

    /// <summary>Without a reader and without a reason to keep its end, it leaves the table.</summary>
    private void ForgetIfDone()
    {
        if (!HasEnded || _channels.Count > 0)
            return;
        if (!IsRetained)
            _table.Forget(this);
    }

    private static string Summary(IReadOnlyList<string> arguments)
    {
        const int longest = 512;
        string line = string.Join(' ', arguments);
        return line.Length <= longest ? line : line[..longest];
    }
}
