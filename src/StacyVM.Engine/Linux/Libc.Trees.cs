using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>What copying a tree needs. Names are bytes: those of a stranger need not be text.</summary>
internal static partial class Libc
{
    public const int ENXIO = 6;
    public const int EXDEV = 18;
    public const int EINVAL = 22;
    public const int ENOTTY = 25;
    public const int EMLINK = 31;
    public const int ERANGE = 34;
    public const int ENOSYS = 38;
    public const int EOPNOTSUPP = 95;

    public const int SEEK_DATA = 3;
    public const int SEEK_HOLE = 4;

    public const int SIGCONT = 18;
    public const int SIGSTOP = 19;

    private const nuint CloneRequest = 0x40049409;

    [LibraryImport("libc", EntryPoint = "openat", SetLastError = true)]
    public static unsafe partial SafeFileHandle CreateAt(SafeFileHandle directory, byte* name, int flags, uint mode);

    [LibraryImport("libc", EntryPoint = "mkdirat", SetLastError = true)]
    public static unsafe partial int MakeDirectoryAt(SafeFileHandle directory, byte* name, uint mode);

    [LibraryImport("libc", EntryPoint = "mknodat", SetLastError = true)]
    public static unsafe partial int MakeNodeAt(SafeFileHandle directory, byte* name, uint mode, ulong device);

    [LibraryImport("libc", EntryPoint = "readlinkat", SetLastError = true)]
    public static unsafe partial nint ReadLinkAt(SafeFileHandle directory, byte* name, byte* target, nint length);

    [LibraryImport("libc", EntryPoint = "symlinkat", SetLastError = true)]
    public static unsafe partial int SymbolicLinkAt(byte* target, SafeFileHandle directory, byte* name);

    [LibraryImport("libc", EntryPoint = "linkat", SetLastError = true)]
    public static unsafe partial int LinkAt(SafeFileHandle from, byte* name, SafeFileHandle to, byte* newName, int flags);

    [LibraryImport("libc", EntryPoint = "fchownat", SetLastError = true)]
    public static unsafe partial int ChangeOwnerAt(SafeFileHandle directory, byte* name, uint user, uint group, int flags);

    [LibraryImport("libc", EntryPoint = "fchown", SetLastError = true)]
    public static partial int ChangeOwnerOf(SafeFileHandle file, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "fchmodat", SetLastError = true)]
    public static unsafe partial int ChangeModeAt(SafeFileHandle directory, byte* name, uint mode, int flags);

    [LibraryImport("libc", EntryPoint = "utimensat", SetLastError = true)]
    public static unsafe partial int SetTimesAt(SafeFileHandle directory, byte* name, long* times, int flags);

    [LibraryImport("libc", EntryPoint = "futimens", SetLastError = true)]
    public static unsafe partial int SetTimesOf(SafeFileHandle file, long* times);

    [LibraryImport("libc", EntryPoint = "flistxattr", SetLastError = true)]
    public static unsafe partial nint ListAttributes(SafeFileHandle file, byte* names, nint size);

    [LibraryImport("libc", EntryPoint = "fgetxattr", SetLastError = true)]
    public static unsafe partial nint GetAttribute(SafeFileHandle file, byte* name, byte* value, nint size);

    [LibraryImport("libc", EntryPoint = "fsetxattr", SetLastError = true)]
    public static unsafe partial int SetAttribute(SafeFileHandle file, byte* name, byte* value, nint size, int flags);

    [LibraryImport("libc", EntryPoint = "ftruncate", SetLastError = true)]
    public static partial int Truncate(SafeFileHandle file, long length);

    [LibraryImport("libc", EntryPoint = "copy_file_range", SetLastError = true)]
    public static unsafe partial nint CopyRange(SafeFileHandle from, long* fromOffset, SafeFileHandle to, long* toOffset, nint length, uint flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle file, nuint request, nint argument);

    /// <summary>Lets a new file share the blocks of another, where the file system can.</summary>
    public static int Clone(SafeFileHandle to, SafeFileHandle from)
    {
        bool held = false;
        from.DangerousAddRef(ref held);
        try
        {
            return Control(to, CloneRequest, from.DangerousGetHandle());
        }
        finally
        {
            from.DangerousRelease();
        }
    }
}
