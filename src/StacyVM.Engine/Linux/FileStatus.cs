using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>What the kernel says of an entry of a directory, which is not followed.</summary>
internal readonly record struct FileStatus
{
    public const int TypeMask = 0xF000, Directory = 0x4000, Regular = 0x8000, SymbolicLink = 0xA000, Pipe = 0x1000, Socket = 0xC000, CharacterDevice = 0x2000;

    private const uint Basic = 0x7FF;
    private const int EmptyPath = 0x1000;

    public required ushort Mode { get; init; }

    public required uint Links { get; init; }

    public required uint User { get; init; }

    public required uint Group { get; init; }

    public required ulong Inode { get; init; }

    public required long Size { get; init; }

    /// <summary>Bytes that its blocks take.</summary>
    public required long Stored { get; init; }

    /// <summary>Seconds and nanoseconds of the last access, and of the last change of content.</summary>
    public required (long Accessed, long AccessedPart, long Changed, long ChangedPart) Times { get; init; }

    /// <summary>A character device 0/0: what an overlay hides names with.</summary>
    public required bool IsWhiteout { get; init; }

    public int Type => Mode & TypeMask;

    public uint Permissions => Mode & 0xFFFu;

    /// <summary>Null when it is not there.</summary>
    public static unsafe FileStatus? Of(SafeFileHandle directory, byte* name) => Read(directory, name, Libc.AT_SYMLINK_NOFOLLOW);

    /// <summary>Of an open file or directory.</summary>
    public static unsafe FileStatus? Of(SafeFileHandle file)
    {
        byte nothing = 0;
        return Read(file, &nothing, EmptyPath);
    }

    // Safe: a statx answer has 256 bytes, and the offsets are those of struct statx, which is the same on every architecture.
    private static unsafe FileStatus? Read(SafeFileHandle directory, byte* name, int flags)
    {
        byte* told = stackalloc byte[256];
        if (Libc.Statx(directory, name, flags, Basic, told) != 0)
            return null;
        ushort mode = *(ushort*)(told + 28);
        return new FileStatus
        {
            Mode = mode,
            Links = *(uint*)(told + 16),
            User = *(uint*)(told + 20),
            Group = *(uint*)(told + 24),
            Inode = *(ulong*)(told + 32),
            Size = *(long*)(told + 40),
            Stored = *(long*)(told + 48) * 512,
            Times = (*(long*)(told + 64), *(uint*)(told + 72), *(long*)(told + 112), *(uint*)(told + 120)),
            IsWhiteout = (mode & TypeMask) == CharacterDevice && *(uint*)(told + 128) == 0 && *(uint*)(told + 132) == 0,
        };
    }
}
