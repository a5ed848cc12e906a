namespace StacyVM.Agent.Linux;

/// <summary>Flags of <c>open(2)</c> on x86-64.</summary>
internal static class OpenFlags
{
    internal const int ReadOnly = 0, WriteOnly = 1, ReadWrite = 2, Create = 0x40, Exclusive = 0x80, NoTerminal = 0x100, Truncate = 0x200,
        Append = 0x400, NonBlocking = 0x800, Directory = 0x10000, NoFollow = 0x20000, CloseOnExec = 0x80000, PathOnly = 0x200000;
}

/// <summary>Special descriptors and flags of the <c>…at</c> family.</summary>
internal static class At
{
    internal const int WorkingDirectory = -100, NoFollow = 0x100, RemoveDirectory = 0x200, EmptyPath = 0x1000;
    internal const uint BasicStatus = 0x7ff;
}

internal static class Signals
{
    internal const int Hangup = 1, Kill = 9, Pipe = 13, Term = 15, Child = 17, Continue = 18, Stop = 19;

    /// <summary>Children of a process with this flag on SIGCHLD leave no zombie.</summary>
    internal const int NoChildWait = 2;
}

internal static class EpollEvents
{
    internal const uint In = 1, Out = 4, Error = 8, HangUp = 16, PeerClosed = 0x2000, EdgeTriggered = 1u << 31;
    internal const int Add = 1, Delete = 2, Modify = 3;
}

internal static class SocketConstants
{
    internal const int Unix = 1, Inet = 2, Inet6 = 10, Vsock = 40, Stream = 1, NonBlocking = 0x800, CloseOnExec = 0x80000;
    internal const int SocketLevel = 1, ErrorOption = 4, SendBuffer = 7, ReceiveBuffer = 8, Tcp = 6, NoDelay = 1;
    internal const int ShutdownWrite = 1;
}

internal static class ControlCommands
{
    internal const int DuplicateCloseOnExec = 1030, GetFlags = 3, SetFlags = 4, SetPipeSize = 1031, GetPipeSize = 1032;
}

internal static class TerminalRequests
{
    internal const nuint SetSize = 0x5414, GetForegroundGroup = 0x540F, UnlockSlave = 0x40045431, GetSlaveNumber = 0x80045430,
        OpenSlave = 0x5441, TakeControl = 0x540E, GetAttributes = 0x5401, SetAttributes = 0x5402;
}

internal static class ProcessOptions
{
    internal const int SetDumpable = 4, SetName = 15, SetChildSubreaper = 36, SetNoNewPrivileges = 38,
        AmbientCapabilities = 47;
    internal const nuint ClearAmbient = 4;
}

/// <summary>Numbers of the system calls that have no safe C wrapper, on x86-64.</summary>
internal static class CallNumbers
{
    internal const long Read = 0, SetUser = 105, SetGroup = 106, SetGroups = 116, SetFileUser = 122, SetFileGroup = 123, OpenProcess = 434,
        SetSignalAction = 13, SetSignalMask = 14, GetWorkingDirectory = 79, SymbolicLinkAt = 266;
}

internal static class InotifyMask
{
    internal const uint Modify = 2, Attribute = 4, MovedFrom = 0x40, MovedTo = 0x80, Create = 0x100, Delete = 0x200, DeleteSelf = 0x400,
        MoveSelf = 0x800, Overflow = 0x4000, Ignored = 0x8000, OnlyDirectory = 0x1000000, NoFollow = 0x2000000, IsDirectory = 0x40000000;
}
