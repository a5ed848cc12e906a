using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace StacyVM.Engine.Linux;

/// <summary>How a layer says, in the words of the kernel's overlay, that something below it is hidden.</summary>
internal static partial class OverlayMarks
{
    // Of struct statx: its size, and where type and mode stand.
    private const int StatxBytes = 256;
    private const int ModeOffset = 28;
    private const uint StatxType = 0x1;
    private const int TypeMask = 0xF000, CharacterDevice = 0x2000;

    /// <summary>An entry that hides what lower layers have under its name. No layer has another device.</summary>
    public static unsafe bool IsWhiteout(string path)
    {
        Span<byte> buffer = stackalloc byte[StatxBytes];
        // Safe: the kernel writes at most the size of the structure, which the buffer has.
        fixed (byte* at = buffer)
        {
            if (Statx(Libc.AT_FDCWD, path, Libc.AT_SYMLINK_NOFOLLOW, StatxType, at) != 0)
                return false;
        }
        return (BinaryPrimitives.ReadUInt16LittleEndian(buffer[ModeOffset..]) & TypeMask) == CharacterDevice;
    }

    /// <summary>A directory that hides all that lower layers have in it.</summary>
    public static unsafe bool IsOpaque(string path)
    {
        byte value = 0;
        // Safe: one byte is offered, and one is there.
        return GetAttribute(path, "user.overlay.opaque", &value, 1) == 1 && value == (byte)'y';
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* buffer);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial nint GetAttribute(string path, string name, byte* value, nint size);
}
