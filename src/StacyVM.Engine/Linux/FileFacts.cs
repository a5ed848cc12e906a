using System.Runtime.InteropServices;

namespace StacyVM.Engine.Linux;

/// <summary>What the kernel says of a name, without following it.</summary>
/// <param name="Mode">Type and permissions, as in <c>st_mode</c>.</param>
/// <param name="Size">Bytes; of a link, the length of its target.</param>
/// <param name="ChangedAt">Unix seconds of the last change of its content.</param>
/// <param name="Links">Names that it has.</param>
/// <param name="Inode">Its number on its file system.</param>
/// <param name="Device">Of a device: its number.</param>
internal readonly partial record struct FileFacts(uint Mode, long Size, long ChangedAt, uint Links, ulong Inode, ulong Device)
{
    private const uint TypeMask = 0xF000;
    private const int NoFollow = 0x100;
    private const uint BasicFields = 0x7FF;

    public bool IsDirectory => (Mode & TypeMask) == 0x4000;

    public bool IsFile => (Mode & TypeMask) == 0x8000;

    public bool IsLink => (Mode & TypeMask) == 0xA000;

    /// <summary>How an overlay says that a name of the layers below is gone: the character device 0/0.</summary>
    public bool IsWhiteout => (Mode & TypeMask) == 0x2000 && Device == 0;

    /// <exception cref="IOException">It is not there, or cannot be asked for.</exception>
    public static unsafe FileFacts Of(string path)
    {
        // Safe: struct statx has 256 bytes; offsets as in statx(2).
        byte* told = stackalloc byte[256];
        if (Statx(Libc.AT_FDCWD, path, NoFollow, BasicFields, told) != 0)
            throw new IOException($"cannot look at {path}: {Libc.LastError()}", Libc.Error);
        ulong device = ((ulong)*(uint*)(told + 0x80) << 32) | *(uint*)(told + 0x84);
        return new FileFacts(*(ushort*)(told + 0x1C), *(long*)(told + 0x28), *(long*)(told + 0x70), *(uint*)(told + 0x10), *(ulong*)(told + 0x20), device);
    }

    /// <summary>Whether an overlay hides what lower layers have in that directory.</summary>
    public static bool IsOpaque(string directory)
    {
        Span<byte> value = stackalloc byte[4];
        return GetAttribute(directory, "user.overlay.opaque", value, value.Length) == 1 && value[0] == (byte)'y';
    }

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static unsafe partial int Statx(int directory, string path, int flags, uint mask, byte* result);

    [LibraryImport("libc", EntryPoint = "lgetxattr", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint GetAttribute(string path, string name, Span<byte> value, nint size);
}
