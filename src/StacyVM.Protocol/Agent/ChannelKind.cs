namespace StacyVM.Protocol.Agent;

/// <summary>The operation that a channel carries. Each line: request → (reply) → data → body of Closed.</summary>
public enum ChannelKind : byte
{
    /// <summary><see cref="StartProcessRequest"/> → <see cref="ProcessStarted"/> → stdin in, output out → <see cref="ProcessExit"/>.</summary>
    StartProcess = 1,

    /// <summary><see cref="AttachProcessRequest"/> → <see cref="ProcessAttached"/> → replayed, then live output → <see cref="ProcessExit"/>.</summary>
    AttachProcess = 2,

    /// <summary>empty → one <see cref="ProcessEntry"/> after another as Data, whole records a frame → empty.</summary>
    ListProcesses = 3,

    /// <summary><see cref="SignalProcessRequest"/> → empty. Signal 0 as whole tree means kill.</summary>
    SignalProcess = 4,

    /// <summary><see cref="ReadFileRequest"/> → <see cref="FileEntry"/> → content out → empty.</summary>
    ReadFile = 10,

    /// <summary><see cref="WriteFileRequest"/> → content in, then End → <see cref="WriteFileResult"/>. The file appears whole, or not at all.</summary>
    WriteFile = 11,

    /// <summary><see cref="PathRequest"/> → body is a <see cref="FileEntry"/>. Follows symbolic links, as <c>stat</c> does.</summary>
    Stat = 12,

    /// <summary><see cref="PathRequest"/> → one <see cref="FileEntry"/> after another as Data, sorted by name → empty.</summary>
    List = 13,

    /// <summary><see cref="DeleteRequest"/> → empty.</summary>
    Delete = 14,

    /// <summary><see cref="MoveRequest"/> → empty. Creates the target's parents; replaces a file, never a directory.</summary>
    Move = 15,

    /// <summary><see cref="ChmodRequest"/> → empty.</summary>
    Chmod = 16,

    /// <summary><see cref="MakeDirectoryRequest"/> → empty.</summary>
    MakeDirectory = 17,

    /// <summary><see cref="GlobRequest"/> → matching absolute paths as Data (each a string record), sorted → empty.</summary>
    Glob = 18,

    /// <summary><see cref="WatchRequest"/> → empty reply → <see cref="WatchEvent"/> records as Data until Cancel.</summary>
    Watch = 19,

    /// <summary><see cref="ConnectRequest"/> → empty reply → bytes both ways, End is a half-close → empty.</summary>
    Connect = 30,

    /// <summary>empty → body is a u32 count and that many u16 ports on which the sandbox listens (TCP, IPv4 and IPv6).</summary>
    ListPorts = 31,

    /// <summary>empty → body is a <see cref="AgentStatistics"/>.</summary>
    Statistics = 40,

    /// <summary>empty → Closed, then the agent ends every process and exits.</summary>
    Shutdown = 50,

    /// <summary><see cref="IdentityRequest"/> → empty, once all of it holds; commands that were held go on. Only the first process of a machine.</summary>
    Identity = 51,

    /// <summary><see cref="HoldRequest"/> → empty, when no command runs any more, or all go on. Only the first process of a machine.</summary>
    Hold = 52,
}

/// <summary>What a <see cref="FrameType.Control"/> frame asks of a process channel.</summary>
public enum ControlVerb : byte
{
    /// <summary>u16 columns, u16 rows: a new terminal size.</summary>
    Resize = 1,

    /// <summary>i32 signal number, to the foreground process group of a terminal, else to the process's own group.</summary>
    Signal = 2,

    /// <summary>no argument: kill the whole tree, whatever it has done with sessions, forks and masks.</summary>
    Kill = 3,

    /// <summary>no argument: let go of the process without ending it; the agent answers Closed with <see cref="AgentStatus.Detached"/>.</summary>
    Detach = 4,
}
