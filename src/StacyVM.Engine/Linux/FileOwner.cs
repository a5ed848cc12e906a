using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace StacyVM.Engine.Linux;

/// <summary>Whose a file is.</summary>
internal readonly partial record struct FileOwner(uint User, uint Group)
{
    // Of struct statx: its size, and where the two ids stand.
    private const int StatxBytes = 256;
    private const int UserOffset = 20;
    private const int GroupOffset = 24;

    private const uint StatxUser = 0x8;
    private const uint StatxGroup = 0x10;

    /// <summary>Null when there is no such file.</summary>
    public static unsafe FileOwner? Of(string path)
    {
        Span<byte> buffer = stackalloc byte[StatxBytes];
        // Safe: the kernel writes at most the size of the structure, which the buffer has.
        fixed (byte* at = buffer)
        {
            if (Statx(Libc.AT_FDCWD, path, 0, StatxUser | StatxGroup, at) != 0)
                return null;
        }
        return new FileOwner(BinaryPrimitives.ReadUInt32LittleEndian(buffer[UserOffset..]), BinaryPrimitives.ReadUInt32LittleEndian(buffer[GroupOffset..]));
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);
}
