using System.Runtime.InteropServices;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Linux;

/// <summary>The kernel's error numbers, their names, and the status each one is told as.</summary>
internal static class Errno
{
    internal const int NotPermitted = 1, NoEntry = 2, NoProcess = 3, Interrupted = 4, NoDevice = 6, ListTooLong = 7, NotExecutable = 8,
        BadDescriptor = 9, NoChild = 10, TryAgain = 11, NoMemory = 12, Access = 13, Busy = 16, Exists = 17, CrossDevice = 18,
        NotDirectory = 20, IsDirectory = 21, Invalid = 22, TooManyFilesSystem = 23, TooManyFiles = 24, TextBusy = 26, FileTooLarge = 27,
        NoSpace = 28, IllegalSeek = 29, ReadOnly = 30, BrokenPipe = 32, NameTooLong = 36, NotImplemented = 38, NotEmpty = 39, Loop = 40,
        NotSupported = 95, Refused = 111, TimedOut = 110, InProgress = 115, Quota = 122, HostUnreachable = 113, AddressUnavailable = 99,
        FamilyUnsupported = 97, Io = 5;

    /// <summary>The reason of the last failed call of <see cref="Libc"/> on this thread.</summary>
    internal static int Last => Marshal.GetLastPInvokeError();

    internal static AgentStatus Status(int errno) => errno switch
    {
        0 => AgentStatus.Ok,
        NoEntry or NoProcess => AgentStatus.NotFound,
        IsDirectory => AgentStatus.IsDirectory,
        NotDirectory => AgentStatus.NotDirectory,
        NotPermitted or Access => AgentStatus.PermissionDenied,
        Exists => AgentStatus.AlreadyExists,
        NotEmpty => AgentStatus.NotEmpty,
        NoSpace or Quota or FileTooLarge => AgentStatus.NoSpace,
        ReadOnly => AgentStatus.ReadOnly,
        Invalid or IllegalSeek => AgentStatus.InvalidArgument,
        NameTooLong or Loop => AgentStatus.InvalidPath,
        Refused or HostUnreachable or AddressUnavailable => AgentStatus.ConnectionRefused,
        TryAgain or NoMemory or TooManyFiles or TooManyFilesSystem or ListTooLong => AgentStatus.ResourceLimit,
        NotImplemented or NotSupported => AgentStatus.Unsupported,
        Busy or TextBusy => AgentStatus.Busy,
        _ => AgentStatus.IoError,
    };

    /// <summary>The sentence part that a person reads.</summary>
    internal static string Describe(int errno) => errno switch
    {
        NotPermitted => "operation not permitted",
        NoEntry => "no such file or directory",
        NoProcess => "no such process",
        Io => "input/output error (EIO)",
        NoDevice => "no such device, or no reader (ENXIO)",
        ListTooLong => "argument list too long",
        NotExecutable => "exec format error",
        TryAgain => "resource temporarily unavailable",
        NoMemory => "out of memory",
        Access => "permission denied",
        Busy => "device or resource busy",
        Exists => "already exists",
        CrossDevice => "is on another file system",
        NotDirectory => "not a directory",
        IsDirectory => "is a directory",
        Invalid => "invalid argument",
        TooManyFiles or TooManyFilesSystem => "too many open files",
        TextBusy => "text file busy",
        FileTooLarge => "file too large",
        NoSpace => "no space left on device",
        ReadOnly => "read-only file system",
        NameTooLong => "file name too long",
        NotEmpty => "directory not empty",
        Loop => "too many levels of symbolic links",
        Quota => "disk quota exceeded",
        Refused => "connection refused",
        _ => "error " + errno.ToString(),
    };
}

/// <summary>An operation of the sandbox failed; told to the host as it is.</summary>
internal sealed class OperationFailure(AgentStatus status, string message) : Exception(message)
{
    internal AgentStatus Status { get; } = status;

    internal static OperationFailure Of(int errno, string subject) => new(Errno.Status(errno), subject + ": " + Errno.Describe(errno));
}
