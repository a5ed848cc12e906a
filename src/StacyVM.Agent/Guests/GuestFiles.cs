using System.Text;
using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Guests;

/// <summary>Small steps with the files of a machine whose only process this is.</summary>
internal static unsafe class GuestFiles
{
    internal const nuint ReadOnly = 1, NoSuid = 2, NoDevices = 4, NoExecution = 8, NoAccessTimes = 1024, Moved = 8192;

    internal const uint Searchable = 0x1ED, Everyones = 0x3FF;

    internal static void Mount(string source, string target, string? type, nuint flags, string? data = null)
    {
        fixed (byte* s = Terminated(source), t = Terminated(target), k = Terminated(type), d = Terminated(data))
        {
            if (Libc.Mount(s, t, k, flags, d) != 0)
                throw OperationFailure.Of(Errno.Last, $"cannot mount {source} on {target}");
        }
    }

    /// <summary>A directory with exactly that mode; whatever else stands there goes, a link above all.</summary>
    internal static void MakeDirectory(string path, uint mode = Searchable)
    {
        fixed (byte* p = Terminated(path))
        {
            FileStatus status;
            if (Libc.StatusAt(At.WorkingDirectory, p, At.NoFollow, At.BasicStatus, &status) != 0 || !status.IsDirectory)
            {
                Libc.UnlinkAt(At.WorkingDirectory, p, 0);
                if (Libc.MakeDirectoryAt(At.WorkingDirectory, p, mode) != 0)
                    throw OperationFailure.Of(Errno.Last, $"cannot make {path}");
            }
            else if (status.Permissions == mode)
            {
                return;
            }
            Libc.ChangeModeAt(At.WorkingDirectory, p, mode, 0);
        }
    }

    internal static bool Exists(string path)
    {
        fixed (byte* p = Terminated(path))
        {
            FileStatus status;
            return Libc.StatusAt(At.WorkingDirectory, p, At.NoFollow, At.BasicStatus, &status) == 0;
        }
    }

    internal static void Link(string target, string path)
    {
        fixed (byte* t = Terminated(target), p = Terminated(path))
            Libc.SymlinkAt(t, At.WorkingDirectory, p);
    }

    internal static void MakeDevice(string path, uint mode, uint major, uint minor)
    {
        fixed (byte* p = Terminated(path))
        {
            if (Libc.MakeNodeAt(At.WorkingDirectory, p, FileType.Character | mode, ((ulong)major << 8) | minor) != 0)
                throw OperationFailure.Of(Errno.Last, $"cannot make {path}");
            Libc.ChangeModeAt(At.WorkingDirectory, p, mode, 0);
        }
    }

    internal static void Own(string path, uint user, uint group)
    {
        fixed (byte* p = Terminated(path))
            Libc.ChangeOwnerAt(At.WorkingDirectory, p, user, group, At.NoFollow);
    }

    internal static void Remove(string path)
    {
        fixed (byte* p = Terminated(path))
            Libc.UnlinkAt(At.WorkingDirectory, p, 0);
    }

    /// <summary>A file of a few bytes; false when it cannot be read.</summary>
    internal static bool TryRead(string path, out string text)
    {
        Span<byte> bytes = stackalloc byte[4096];
        int length = Descriptor.ReadSmall(Terminated(path), bytes);
        text = length > 0 ? Encoding.UTF8.GetString(bytes[..length]) : "";
        return length >= 0;
    }

    /// <summary>Writes into a file that is there, as those of the kernel are.</summary>
    internal static bool TryWrite(string path, string text) => Write(path, text, OpenFlags.WriteOnly, 0);

    /// <summary>Makes a file anew, so that it is never written through a link.</summary>
    internal static bool Replace(string path, string text, uint mode)
    {
        Remove(path);
        return Write(path, text, OpenFlags.WriteOnly | OpenFlags.Create | OpenFlags.Exclusive | OpenFlags.NoFollow, mode);
    }

    private static bool Write(string path, string text, int flags, uint mode)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* p = Terminated(path), b = bytes)
        {
            int file = Libc.OpenAt(At.WorkingDirectory, p, flags | OpenFlags.CloseOnExec, mode);
            if (file < 0)
                return false;
            bool written = Libc.Write(file, b, (nuint)bytes.Length) == bytes.Length;
            Libc.Close(file);
            return written;
        }
    }

    internal static byte[]? Terminated(string? text) => text is null ? null : Encoding.UTF8.GetBytes(text + "\0");
}
