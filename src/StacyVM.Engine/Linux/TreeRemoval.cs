using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>
/// Removes a directory whose content was made by somebody hostile. Symbolic links are never followed, and depth costs nothing: a
/// subdirectory that is not empty is first moved up to the top, so that there are never more than three descriptors open and no path
/// grows long.
/// </summary>
internal static class TreeRemoval
{
    private const int DirectoryFlags = Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC;

    /// <summary>Removes a directory and everything in it. One that is not there is success.</summary>
    /// <param name="path">Every part of it but the last is trusted.</param>
    public static void Remove(string path)
    {
        // 1. The top is opened without following it; where a link or a file stands in its place, that is unlinked.
        using (SafeFileHandle top = OpenTop(path))
        {
            if (!top.IsInvalid)
                Empty(top, path);
            else if (Libc.Error == Libc.ENOENT)
                return;
        }

        // 2. It is empty now.
        if (Libc.RemoveDirectory(path) == 0)
            return;
        int error = Libc.Error;
        if (error == Libc.ENOTDIR)
            File.Delete(path);
        else if (error != Libc.ENOENT)
            throw new IOException($"cannot remove {path}: {Libc.LastError()}");
    }

    private static SafeFileHandle OpenTop(string path)
    {
        SafeFileHandle top = Libc.OpenDirectory(Libc.AT_FDCWD, path, DirectoryFlags);
        if (!top.IsInvalid || Libc.Error != Libc.EACCES)
            return top;
        top.Dispose();
        using (SafeFileHandle unreadable = Libc.OpenDirectory(Libc.AT_FDCWD, path, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC))
            AllowOwner(unreadable);
        return Libc.OpenDirectory(Libc.AT_FDCWD, path, DirectoryFlags);
    }

    private static unsafe void Empty(SafeFileHandle top, string path)
    {
        long moved = 0;
        // Moved-up directories appear in the top again: it is read until it has nothing left.
        while (EmptyOne(top, top, ref moved) > 0)
        {
            if (Libc.Seek(top, 0, 0) < 0)
                throw new IOException($"cannot read {path} again: {Libc.LastError()}");
        }
    }

    /// <summary>Unlinks all that can be unlinked and moves what is not empty to the top; in the top itself, empties those directories.</summary>
    /// <returns>Entries seen.</returns>
    private static unsafe int EmptyOne(SafeFileHandle directory, SafeFileHandle top, ref long moved)
    {
        const int Size = 32 * 1024;
        byte[] buffer = new byte[Size];
        int seen = 0;
        // Safe: the kernel fills at most Size bytes with whole records, and a record's own length is what advances through them.
        fixed (byte* start = buffer)
        {
            while (true)
            {
                int length = Libc.ReadDirectory(directory, start, Size);
                if (length < 0)
                    throw new IOException($"cannot list a directory of a sandbox: {Libc.LastError()}");
                if (length == 0)
                    return seen;
                for (byte* entry = start; entry < start + length; entry += *(ushort*)(entry + 16))
                {
                    byte* name = entry + 19;
                    if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))
                        continue;
                    seen++;
                    RemoveEntry(directory, name, top, ref moved);
                }
            }
        }
    }

    private static unsafe void RemoveEntry(SafeFileHandle directory, byte* name, SafeFileHandle top, ref long moved)
    {
        // 1. A file, a link, a socket: unlinked by name, which never follows.
        if (Libc.UnlinkAt(directory, name, 0) == 0)
            return;
        int error = Libc.Error;
        if (error == Libc.ENOENT)
            return;
        if (error is Libc.EACCES)
        {
            // The directory itself forbids it (rootless: its owner is our own user).
            AllowOwner(directory);
            if (Libc.UnlinkAt(directory, name, 0) == 0)
                return;
            error = Libc.Error;
        }
        if (error is not (Libc.EISDIR or Libc.EPERM))
            throw Failure(name);

        // 2. An empty directory.
        if (Libc.UnlinkAt(directory, name, Libc.AT_REMOVEDIR) == 0 || Libc.Error == Libc.ENOENT)
            return;
        if (Libc.Error is not (Libc.ENOTEMPTY or Libc.EEXIST or Libc.EACCES))
            throw Failure(name);

        // 3. A full one. In the top it is emptied; elsewhere it moves to the top first and is met again there.
        using SafeFileHandle child = OpenChild(directory, name);
        if (ReferenceEquals(directory, top))
        {
            EmptyOne(child, top, ref moved);
            if (Libc.UnlinkAt(directory, name, Libc.AT_REMOVEDIR) != 0 && Libc.Error != Libc.ENOENT)
                throw Failure(name);
            return;
        }
        AllowOwner(child);
        byte* unique = stackalloc byte[40];
        while (true)
        {
            Name(unique, ++moved);
            if (Libc.RenameAt(directory, name, top, unique) == 0)
                return;
            // A name that the guest happened to choose: the next one.
            if (Libc.Error is not (Libc.ENOTEMPTY or Libc.EEXIST or Libc.ENOTDIR))
                throw Failure(name);
        }
    }

    private static unsafe SafeFileHandle OpenChild(SafeFileHandle directory, byte* name)
    {
        SafeFileHandle child = Libc.OpenAt(directory, name, DirectoryFlags);
        if (!child.IsInvalid)
            return child;
        if (Libc.Error != Libc.EACCES)
            throw Failure(name);
        using (SafeFileHandle unreadable = Libc.OpenAt(directory, name, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC))
            AllowOwner(unreadable);
        child = Libc.OpenAt(directory, name, DirectoryFlags);
        return child.IsInvalid ? throw Failure(name) : child;
    }

    /// <summary>A descriptor opened with O_PATH takes no fchmod; its entry below /proc names exactly the same directory.</summary>
    private static void AllowOwner(SafeFileHandle directory)
    {
        if (!directory.IsInvalid)
            _ = Libc.ChangeMode(string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{directory.DangerousGetHandle()}"), 0x1C0);
    }

    // Safe: 40 bytes hold the prefix, twenty digits and the terminating zero.
    private static unsafe void Name(byte* target, long number)
    {
        var span = new Span<byte>(target, 40);
        int length = Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $".removed-{number}"), span);
        span[length] = 0;
    }

    private static unsafe IOException Failure(byte* name) =>
        new($"cannot remove an entry of a sandbox's directory ({Marshal.PtrToStringUTF8((nint)name)}): {Libc.LastError()}");
}
