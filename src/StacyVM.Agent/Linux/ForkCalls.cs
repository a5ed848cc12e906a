using System.Runtime.InteropServices;

namespace StacyVM.Agent.Linux;

/// <summary>
/// Calls for code that runs between a fork and an exec. There the runtime's other threads do not exist, so a call must not meet the
/// garbage collector on its way in or out: every one of these is a plain call instruction, takes blittable arguments only, and is
/// short.
/// </summary>
internal static unsafe partial class ForkCalls
{
    private const string Library = "libc";

    /// <summary>A fork without the handlers of <c>pthread_atfork</c>, none of which the child needs.</summary>
    [LibraryImport(Library, EntryPoint = "_Fork"), SuppressGCTransition]
    internal static partial int Fork();

    [LibraryImport(Library, EntryPoint = "clone"), SuppressGCTransition]
    internal static partial int Clone(void* entry, void* stackTop, int flags, void* argument);

    [LibraryImport(Library, EntryPoint = "execve"), SuppressGCTransition]
    internal static partial int Execute(byte* path, byte** arguments, byte** environment);

    [LibraryImport(Library, EntryPoint = "_exit"), SuppressGCTransition]
    internal static partial void Exit(int code);

    [LibraryImport(Library, EntryPoint = "__errno_location"), SuppressGCTransition]
    internal static partial int* ErrnoLocation();

    [LibraryImport(Library, EntryPoint = "syscall"), SuppressGCTransition]
    internal static partial long SystemCall(long number, long a, long b, long c, long d);

    [LibraryImport(Library, EntryPoint = "sigaction"), SuppressGCTransition]
    internal static partial int SetSignalAction(int signal, SignalAction* action, SignalAction* previous);

    [LibraryImport(Library, EntryPoint = "setsid"), SuppressGCTransition]
    internal static partial int NewSession();

    [LibraryImport(Library, EntryPoint = "ioctl"), SuppressGCTransition]
    internal static partial int DeviceControl(int fd, nuint request, nint argument);

    [LibraryImport(Library, EntryPoint = "dup2"), SuppressGCTransition]
    internal static partial int Duplicate(int from, int to);

    [LibraryImport(Library, EntryPoint = "fcntl"), SuppressGCTransition]
    internal static partial int Control(int fd, int command, long argument);

    [LibraryImport(Library, EntryPoint = "close"), SuppressGCTransition]
    internal static partial int Close(int fd);

    [LibraryImport(Library, EntryPoint = "close_range"), SuppressGCTransition]
    internal static partial int CloseRange(uint first, uint last, int flags);

    [LibraryImport(Library, EntryPoint = "open"), SuppressGCTransition]
    internal static partial int Open(byte* path, int flags, uint mode);

    [LibraryImport(Library, EntryPoint = "write"), SuppressGCTransition]
    internal static partial nint Write(int fd, void* data, nuint count);

    [LibraryImport(Library, EntryPoint = "chdir"), SuppressGCTransition]
    internal static partial int ChangeDirectory(byte* path);

    [LibraryImport(Library, EntryPoint = "umask"), SuppressGCTransition]
    internal static partial uint SetFileMask(uint mask);

    [LibraryImport(Library, EntryPoint = "prctl"), SuppressGCTransition]
    internal static partial int ProcessControl(int option, nuint a, nuint b, nuint c, nuint d);

    [LibraryImport(Library, EntryPoint = "setrlimit"), SuppressGCTransition]
    internal static partial int SetLimit(int resource, ulong* pair);

    [LibraryImport(Library, EntryPoint = "wait4"), SuppressGCTransition]
    internal static partial int Wait(int pid, int* status, int options, long* usage);

    [LibraryImport(Library, EntryPoint = "waitid"), SuppressGCTransition]
    internal static partial int Peek(int kind, int id, byte* info, int options);
}
