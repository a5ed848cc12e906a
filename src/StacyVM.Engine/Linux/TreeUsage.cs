using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>
/// What a directory that belongs to somebody hostile holds of the disk. Symbolic links are not followed, and neither is anything opened but
/// directories: content that is moved about meanwhile leads nowhere else.
/// </summary>
internal static class TreeUsage
{
    /// <summary>What an entry costs apart from its content: an inode, and its name in the directory.</summary>
    public const long BytesPerEntry = 1024;

    private const int DirectoryFlags = Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC;
    private const int DeepestLevel = 512;
    private const uint WantedFields = 0x1 | 0x4 | 0x400; // type, number of links, blocks
    private const int TypeMask = 0xF000, DirectoryType = 0x4000;

    /// <summary>Bytes that its blocks take, files of several names in proportion. It stops where the sum is beyond a bound.</summary>
    /// <param name="path">Every part of it but the last is trusted.</param>
    /// <param name="most">Beyond this, how much more does not matter.</param>
    /// <returns>The sum, and whether there is more, so deep or so closed that it was not looked into.</returns>
    /// <exception cref="IOException">It cannot be opened.</exception>
    public static (long Bytes, bool Hides) Measure(string path, long most)
    {
        using SafeFileHandle top = Libc.OpenDirectory(Libc.AT_FDCWD, path, DirectoryFlags);
        if (top.IsInvalid && Libc.Error == Libc.EACCES)
            return (0, true);
        if (top.IsInvalid)
            throw new IOException($"cannot open {path}: {Libc.LastError()}");
        var walk = new Walk(most);
        Add(top, walk, DeepestLevel);
        return (walk.Sum, walk.Hides);
    }

    private static unsafe void Add(SafeFileHandle directory, Walk walk, int levels)
    {
        const int Size = 16 * 1024;
        byte[] buffer = new byte[Size];
        byte* told = stackalloc byte[256];
        // Safe: the kernel fills at most Size bytes with whole records, a record's own length is what advances through them, and a statx
        // answer has 256 bytes.
        fixed (byte* start = buffer)
        {
            int length;
            while (!walk.Enough && (length = Libc.ReadDirectory(directory, start, Size)) > 0)
            {
                for (byte* entry = start; entry < start + length && !walk.Enough; entry += *(ushort*)(entry + 16))
                {
                    byte* name = entry + 19;
                    if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))
                        continue;
                    // Gone meanwhile: it holds nothing.
                    if (Libc.Statx(directory, name, Libc.AT_SYMLINK_NOFOLLOW, WantedFields, told) != 0)
                        continue;
                    long blocks = *(long*)(told + 48) * 512;
                    bool isDirectory = (*(ushort*)(told + 28) & TypeMask) == DirectoryType;
                    walk.Sum += BytesPerEntry + (isDirectory ? blocks : blocks / Math.Max(1, *(uint*)(told + 16)));
                    if (isDirectory)
                        Descend(directory, name, walk, levels);
                }
            }
        }
    }

    private static unsafe void Descend(SafeFileHandle directory, byte* name, Walk walk, int levels)
    {
        if (levels == 0)
        {
            walk.Hides = true;
            return;
        }
        using SafeFileHandle child = Libc.OpenAt(directory, name, DirectoryFlags);
        if (!child.IsInvalid)
            Add(child, walk, levels - 1);
        else if (Libc.Error == Libc.EACCES)
            walk.Hides = true;
    }

    private sealed class Walk(long most)
    {
        public long Sum { get; set; }

        public bool Hides { get; set; }

        public bool Enough => Sum > most;
    }
}
