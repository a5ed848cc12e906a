using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>Calls of the C library that .NET has no words for. Every wrapper sets the last P/Invoke error.</summary>
internal static partial class Libc
{
    public const int EPERM = 1;
    public const int ENOENT = 2;
    public const int ESRCH = 3;
    public const int EINTR = 4;
    public const int EACCES = 13;
    public const int EBUSY = 16;
    public const int EEXIST = 17;
    public const int ENOTDIR = 20;
    public const int EISDIR = 21;
    public const int ENOSPC = 28;
    public const int ENOTEMPTY = 39;
    public const int ELOOP = 40;
    public const int EDQUOT = 122;

    public const int O_RDONLY = 0;
    public const int O_WRONLY = 1;
    public const int O_CREAT = 0x40;
    public const int O_EXCL = 0x80;
    public const int O_NONBLOCK = 0x800;
    public const int O_DIRECTORY = 0x10000;
    public const int O_NOFOLLOW = 0x20000;
    public const int O_CLOEXEC = 0x80000;
    public const int O_PATH = 0x200000;

    public const int AT_FDCWD = -100;
    public const int AT_REMOVEDIR = 0x200;
    public const int AT_SYMLINK_NOFOLLOW = 0x100;

    /// <summary>A limit of processes: the largest file that they may write.</summary>
    public const int RLIMIT_FSIZE = 1;

    public const int SIGKILL = 9;

    public const int EPOLL_CTL_ADD = 1;
    public const int EPOLL_CTL_DEL = 2;
    public const uint EPOLLIN = 1;
    public const uint EPOLLONESHOT = 1u << 30;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "getegid")]
    public static partial uint GetEffectiveGroupId();

    [LibraryImport("libc", EntryPoint = "chown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwner(string path, uint user, uint group);

    /// <summary>Of a link itself, and not of what it leads to.</summary>
    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeOwnerOfEntry(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "chmod", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ChangeMode(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectory(string path, uint mode);

    [LibraryImport("libc", EntryPoint = "rmdir", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int RemoveDirectory(string path);

    [LibraryImport("libc", EntryPoint = "rename", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Rename(string from, string to);

    [LibraryImport("libc", EntryPoint = "access", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Access(string path, int mode);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    public static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle OpenDirectory(int directory, string path, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static unsafe partial SafeFileHandle OpenAt(SafeFileHandle directory, byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true)]
    public static unsafe partial int UnlinkAt(SafeFileHandle directory, byte* name, int flags);

    [LibraryImport("libc", EntryPoint = "renameat", SetLastError = true)]
    public static unsafe partial int RenameAt(SafeFileHandle from, byte* name, SafeFileHandle to, byte* newName);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle OpenAt(SafeFileHandle directory, string name, int flags);

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial SafeFileHandle CreateAt(SafeFileHandle directory, string name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "unlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UnlinkAt(SafeFileHandle directory, string name, int flags);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeDirectoryAt(SafeFileHandle directory, string name, uint mode);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SymbolicLinkAt(string target, SafeFileHandle directory, string name);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int LinkAt(SafeFileHandle from, string name, SafeFileHandle to, string newName, int flags);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int MakeNodeAt(SafeFileHandle directory, string name, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "fchmod", SetLastError = true)]
    public static partial int ChangeModeOf(SafeFileHandle file, uint mode);

    [LibraryImport("libc", EntryPoint = "fsetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetAttribute(SafeFileHandle file, string name, ReadOnlySpan<byte> value, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int SetTimesAt(SafeFileHandle directory, string name, ReadOnlySpan<long> times, int flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenAt2(nint number, SafeFileHandle directory, string path, ReadOnlySpan<ulong> how, nint size);

    [LibraryImport("libc", EntryPoint = "lseek", SetLastError = true)]
    public static partial long Seek(SafeFileHandle file, long offset, int whence);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static unsafe partial nint GetDirectoryEntries(nint number, SafeFileHandle directory, byte* buffer, nint length);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint PidFdOpen(nint number, nint pid, nint flags);

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint PidFdSendSignal(nint number, SafeFileHandle process, nint signal, nint info, nint flags);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    public static partial SafeFileHandle EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    public static unsafe partial int EpollControl(SafeFileHandle epoll, int operation, SafeFileHandle file, byte* epollEvent);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    public static unsafe partial int EpollWait(SafeFileHandle epoll, byte* events, int most, int milliseconds);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true)]
    public static unsafe partial int Statx(SafeFileHandle directory, byte* name, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "statvfs", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int StatFileSystem(string path, ulong* result);

    [LibraryImport("libc", EntryPoint = "prlimit64", SetLastError = true)]
    private static unsafe partial int ProcessLimit(int pid, int resource, ulong* wanted, ulong* had);

    /// <summary>False for directories, devices, pipes and sockets.</summary>
    public static unsafe bool IsRegularFile(SafeFileHandle file)
    {
        const int EmptyPath = 0x1000, ModeOffset = 0x1C, TypeMask = 0xF000, Regular = 0x8000;
        // Safe: struct statx has 256 bytes, its mode stands at 0x1C; the name is one zero byte, which asks for the descriptor itself.
        byte* status = stackalloc byte[256];
        byte nothing = 0;
        return Statx(file, &nothing, EmptyPath, 1, status) == 0 && (*(ushort*)(status + ModeOffset) & TypeMask) == Regular;
    }

    /// <summary>Bytes and inodes in use on the file system of a path; null when it cannot be asked.</summary>
    public static unsafe (ulong Bytes, ulong Inodes)? UsedOn(string path)
    {
        // Safe: struct statvfs of 64-bit Linux has 112 bytes and begins with bsize, frsize, blocks, bfree, bavail, files, ffree.
        ulong* told = stackalloc ulong[16];
        return StatFileSystem(path, told) == 0 ? ((told[2] - told[3]) * told[1], told[5] - told[6]) : null;
    }

    /// <summary>Sets the limit of another process that it may itself raise again, up to the hard one, which stays.</summary>
    /// <returns>True when it has been changed.</returns>
    public static unsafe bool SetSoftLimit(int pid, int resource, ulong soft)
    {
        // Safe: struct rlimit64 is two 64-bit numbers.
        ulong* limit = stackalloc ulong[2];
        if (ProcessLimit(pid, resource, null, limit) != 0 || limit[0] == soft)
            return false;
        limit[0] = soft;
        return ProcessLimit(pid, resource, limit, null) == 0;
    }

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial nint SetThreadIds(nint number, nint real, nint effective, nint saved);

    /// <summary>Gives the calling thread alone, not the process, a real user and group; its rights stay those of the effective ones.</summary>
    public static bool BecomeReally(uint user)
    {
        (nint users, nint groups) = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? (117, 119) : (147, 149);
        return SetThreadIds(groups, (nint)user, -1, -1) == 0 && SetThreadIds(users, (nint)user, -1, -1) == 0;
    }

    /// <summary>Entries of an open directory as <c>linux_dirent64</c> records; 0 at its end.</summary>
    public static unsafe int ReadDirectory(SafeFileHandle directory, byte* buffer, int length) =>
        (int)GetDirectoryEntries(RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 217 : 61, directory, buffer, length);

    /// <summary>
    /// Opens a path as if the directory were the root of everything: neither dots nor links lead out of it, nor into other mounts.
    /// Linux 5.6, openat2(2); the number is the same on every architecture.
    /// </summary>
    public static SafeFileHandle OpenBeneath(SafeFileHandle directory, string path, int flags)
    {
        const ulong NoOtherMounts = 1, NoMagicLinks = 2, InRoot = 0x10;
        return new SafeFileHandle(OpenAt2(437, directory, path, [(ulong)flags, 0, NoOtherMounts | NoMagicLinks | InRoot], 24), ownsHandle: true);
    }

    /// <summary>A descriptor of a process; invalid when there is none. The numbers from 424 on are the same on every architecture.</summary>
    public static SafeFileHandle OpenProcess(int pid) => new(PidFdOpen(434, pid, 0), ownsHandle: true);

    /// <summary>Signals exactly the process that was opened, even when its number has been given to another since.</summary>
    public static int SignalProcess(SafeFileHandle process, int signal) => (int)PidFdSendSignal(424, process, signal, 0, 0);

    /// <summary>The number of the last error.</summary>
    public static int Error => Marshal.GetLastPInvokeError();

    /// <summary>The text of the last error, for messages.</summary>
    public static string LastError() => Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError());
}
