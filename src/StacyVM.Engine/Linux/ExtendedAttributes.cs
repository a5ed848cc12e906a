using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>Extended attributes of files: those of the <c>user</c> space, which is the one that sandboxes and their overlays have.</summary>
internal static unsafe class ExtendedAttributes
{
    private const int Longest = 64 * 1024;

    /// <summary>What an overlay notes about where an entry came from is not true of its copy.</summary>
    private static ReadOnlySpan<byte> OverlayOrigin => "user.overlay.origin"u8;

    private static ReadOnlySpan<byte> OverlayIdentity => "user.overlay.uuid"u8;

    public static void Copy(SafeFileHandle from, SafeFileHandle to)
    {
        nint size = Libc.ListAttributes(from, null, 0);
        if (size <= 0)
            return;
        byte[] names = new byte[Longest];
        byte[] value = new byte[Longest];
        // Safe: the kernel fills at most the given sizes, and names end with a zero byte each.
        fixed (byte* list = names, content = value)
        {
            size = Libc.ListAttributes(from, list, Longest);
            for (nint at = 0; at < size;)
            {
                ReadOnlySpan<byte> name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(list + at);
                if (name.StartsWith("user."u8) && !name.SequenceEqual(OverlayOrigin) && !name.SequenceEqual(OverlayIdentity))
                    CopyOne(from, to, list + at, content);
                at += name.Length + 1;
            }
        }
    }

    private static void CopyOne(SafeFileHandle from, SafeFileHandle to, byte* name, byte* content)
    {
        nint length = Libc.GetAttribute(from, name, content, Longest);
        if (length < 0 || Libc.SetAttribute(to, name, content, length, 0) != 0)
        {
            int error = Libc.Error;
            throw new IOException($"cannot copy an attribute of a file: {Marshal.GetPInvokeErrorMessage(error)}", error);
        }
    }
}
