namespace StacyVM.Protocol.Agent;

/// <summary>Options of <see cref="StartProcessRequest"/>.</summary>
[Flags]
public enum ProcessFlags : ushort
{
    None = 0,

    /// <summary>Run on a pseudo-terminal of <see cref="StartProcessRequest.Columns"/> × <see cref="StartProcessRequest.Rows"/>; all output is <see cref="DataStream.Output"/>.</summary>
    Terminal = 1,

    /// <summary>Stdin is a pipe fed by Data frames. Without it stdin is <c>/dev/null</c>.</summary>
    Stdin = 2,

    /// <summary>
    /// The process outlives its channel: Cancel and Detach let go of it, its output goes on into the retained tail, its exit is retained.
    /// A process without the flag is killed with its whole tree on Cancel. A lost connection ends neither: the host may come back and attach.
    /// </summary>
    Detached = 4,

    /// <summary>Host launcher only: no supervisor; the process is not tracked as a tree and survives the agent.</summary>
    Unsupervised = 8,
}

/// <summary>Starts a process.</summary>
public sealed record StartProcessRequest
{
    /// <summary>Program and arguments; the program is looked up in the PATH of the resulting environment. Not found: exit code 127, not executable: 126, as a shell reports it, with a line on stderr.</summary>
    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Variables added to (or replacing those of) the agent's own environment, which is passed on without <see cref="AgentProtocol.VariablePrefix"/> names.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Environment { get; init; } = [];

    /// <summary>Working directory; empty for the agent's default. One that does not exist is <see cref="AgentStatus.InvalidArgument"/>.</summary>
    public string WorkingDirectory { get; init; } = "";

    /// <summary>Numeric user and group to run as; <see cref="Inherit"/> keeps the default.</summary>
    public uint UserId { get; init; } = Inherit;

    /// <inheritdoc cref="UserId"/>
    public uint GroupId { get; init; } = Inherit;

    public ProcessFlags Flags { get; init; }

    /// <summary>Terminal size; 0 means 80 × 24.</summary>
    public ushort Columns { get; init; }

    /// <inheritdoc cref="Columns"/>
    public ushort Rows { get; init; }

    /// <summary>After so many milliseconds the whole tree is killed and the exit says <see cref="ExitFlags.TimedOut"/>. 0: never.</summary>
    public ulong TimeoutMilliseconds { get; init; }

    /// <summary>Retain the last so many bytes of output for <see cref="ChannelKind.AttachProcess"/>. 0: <see cref="AgentProtocol.DefaultTailBytes"/>. At most 16 MiB.</summary>
    public uint TailBytes { get; init; }

    /// <summary>Host launcher only: files opened in the child before the program starts, each at its descriptor number.</summary>
    public IReadOnlyList<InheritedFile> Files { get; init; } = [];

    /// <summary>Host launcher only: <c>cgroup.procs</c> or <c>tasks</c> files that the child writes itself into before it drops its privileges.</summary>
    public IReadOnlyList<string> Cgroups { get; init; } = [];

    /// <summary>Host launcher only: resource limits, set before the privileges drop.</summary>
    public IReadOnlyList<ResourceLimit> Limits { get; init; } = [];

    /// <summary>Value of <see cref="UserId"/> and <see cref="GroupId"/> that changes nothing.</summary>
    public const uint Inherit = uint.MaxValue;

    public void Write(RecordWriter w)
    {
        w.Strings(Arguments);
        w.UInt32((uint)Environment.Count);
        foreach ((string name, string value) in Environment)
        {
            w.String(name);
            w.String(value);
        }
        w.String(WorkingDirectory);
        w.UInt32(UserId);
        w.UInt32(GroupId);
        w.UInt16((ushort)Flags);
        w.UInt16(Columns);
        w.UInt16(Rows);
        w.UInt64(TimeoutMilliseconds);
        w.UInt32(TailBytes);
        w.UInt32((uint)Files.Count);
        foreach (InheritedFile file in Files)
        {
            w.Int32(file.Descriptor);
            w.String(file.Path);
            w.Bool(file.Writable);
        }
        w.Strings(Cgroups);
        w.UInt32((uint)Limits.Count);
        foreach (ResourceLimit limit in Limits)
        {
            w.Int32(limit.Resource);
            w.UInt64(limit.Value);
        }
    }

    public static StartProcessRequest Read(ref RecordReader r)
    {
        string[] arguments = r.Strings();
        var environment = new KeyValuePair<string, string>[r.Count(r.UInt32(), 8)];
        for (int i = 0; i < environment.Length; i++)
            environment[i] = new(r.String(), r.String());
        string workingDirectory = r.String();
        uint user = r.UInt32(), group = r.UInt32();
        var flags = (ProcessFlags)r.UInt16();
        ushort columns = r.UInt16(), rows = r.UInt16();
        ulong timeout = r.UInt64();
        uint tail = r.UInt32();
        var files = new InheritedFile[r.Count(r.UInt32(), 9)];
        for (int i = 0; i < files.Length; i++)
            files[i] = new(r.Int32(), r.String(), r.Bool());
        string[] cgroups = r.Strings();
        var limits = new ResourceLimit[r.Count(r.UInt32(), 12)];
        for (int i = 0; i < limits.Length; i++)
            limits[i] = new(r.Int32(), r.UInt64());
        return new StartProcessRequest
        {
            Arguments = arguments,
            Environment = environment,
            WorkingDirectory = workingDirectory,
            UserId = user,
            GroupId = group,
            Flags = flags,
            Columns = columns,
            Rows = rows,
            TimeoutMilliseconds = timeout,
            TailBytes = tail,
            Files = files,
            Cgroups = cgroups,
            Limits = limits,
        };
    }
}

/// <summary>A file opened for the child at a fixed descriptor. Writable ones are created with mode 0600 and appended to.</summary>
public readonly record struct InheritedFile(int Descriptor, string Path, bool Writable);

/// <summary>A limit of <c>setrlimit(2)</c>, soft and hard alike; <see cref="Resource"/> is the kernel's RLIMIT number.</summary>
public readonly record struct ResourceLimit(int Resource, ulong Value);

/// <summary>Reply to <see cref="ChannelKind.StartProcess"/>.</summary>
/// <param name="Process">The agent's own number of the process, never used twice by one agent.</param>
/// <param name="Pid">Its process id inside the sandbox.</param>
public readonly record struct ProcessStarted(uint Process, uint Pid)
{
    public void Write(RecordWriter w)
    {
        w.UInt32(Process);
        w.UInt32(Pid);
    }

    public static ProcessStarted Read(ref RecordReader r) => new(r.UInt32(), r.UInt32());
}

/// <summary>Attaches to a process, running or retained.</summary>
/// <param name="Process">The number from <see cref="ProcessStarted"/>.</param>
/// <param name="Offset">Replay output from this byte on, counted over both streams since the start. Older than the tail: replay begins at its oldest byte.</param>
public readonly record struct AttachProcessRequest(uint Process, ulong Offset)
{
    public void Write(RecordWriter w)
    {
        w.UInt32(Process);
        w.UInt64(Offset);
    }

    public static AttachProcessRequest Read(ref RecordReader r) => new(r.UInt32(), r.UInt64());
}

/// <summary>Reply to <see cref="ChannelKind.AttachProcess"/>.</summary>
/// <param name="Pid">Process id inside the sandbox.</param>
/// <param name="Offset">Where the replay really begins: larger than asked for when older output has been dropped.</param>
public readonly record struct ProcessAttached(uint Pid, ulong Offset)
{
    public void Write(RecordWriter w)
    {
        w.UInt32(Pid);
        w.UInt64(Offset);
    }

    public static ProcessAttached Read(ref RecordReader r) => new(r.UInt32(), r.UInt64());
}

/// <summary>Signals a process by its number, without a channel to it.</summary>
/// <param name="Process">The number from <see cref="ProcessStarted"/>.</param>
/// <param name="Signal">Signal number; 0 kills the whole tree.</param>
public readonly record struct SignalProcessRequest(uint Process, int Signal)
{
    public void Write(RecordWriter w)
    {
        w.UInt32(Process);
        w.Int32(Signal);
    }

    public static SignalProcessRequest Read(ref RecordReader r) => new(r.UInt32(), r.Int32());
}

/// <summary>How a process ended.</summary>
[Flags]
public enum ExitFlags : byte
{
    None = 0,

    /// <summary>Its time was up and its tree was killed.</summary>
    TimedOut = 1,

    /// <summary>The host asked for the kill (Cancel, Control.Kill, SignalProcess 0).</summary>
    Killed = 2,
}

/// <summary>Body of the Closed frame of a process channel.</summary>
/// <param name="ExitCode">The program's code; 128 + signal when a signal ended it.</param>
/// <param name="Signal">The signal that ended it, or 0.</param>
/// <param name="Flags">Why it ended, where the agent knows.</param>
/// <param name="Microseconds">From start to exit.</param>
/// <param name="OutputBytes">Output of both streams since the start, replayable or not.</param>
public readonly record struct ProcessExit(int ExitCode, int Signal, ExitFlags Flags, ulong Microseconds, ulong OutputBytes)
{
    public void Write(RecordWriter w)
    {
        w.Int32(ExitCode);
        w.Int32(Signal);
        w.Byte((byte)Flags);
        w.UInt64(Microseconds);
        w.UInt64(OutputBytes);
    }

    public static ProcessExit Read(ref RecordReader r) => new(r.Int32(), r.Int32(), (ExitFlags)r.Byte(), r.UInt64(), r.UInt64());
}

/// <summary>One line of the agent's process table: running processes that the host started, and ended ones still retained. <c>StartedAt</c> is Unix time in microseconds.</summary>
public sealed record ProcessEntry(uint Process, uint Pid, string Command, long StartedAt, bool Running, ProcessExit Exit, ulong OutputBytes, bool Terminal)
{
    public void Write(RecordWriter w)
    {
        w.UInt32(Process);
        w.UInt32(Pid);
        w.String(Command);
        w.Int64(StartedAt);
        w.Bool(Running);
        Exit.Write(w);
        w.UInt64(OutputBytes);
        w.Bool(Terminal);
    }

    public static ProcessEntry Read(ref RecordReader r) =>
        new(r.UInt32(), r.UInt32(), r.String(), r.Int64(), r.Bool(), ProcessExit.Read(ref r), r.UInt64(), r.Bool());
}
