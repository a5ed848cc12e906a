using System.Runtime.InteropServices;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>
/// Writes a tree of files that a stranger has described below one directory. Every path is resolved by the kernel with that directory as its
/// root (<c>openat2</c>, RESOLVE_IN_ROOT), so that neither <c>..</c> nor a link that was written before leads out. Not for two threads at once.
/// </summary>
/// <param name="root">The directory; it exists, and nobody else writes there.</param>
internal sealed partial class TreeWriter(string root) : IDisposable
{
    private const uint AllPermissions = 0x1FF;
    private const uint DefaultDirectory = 0x1ED;
    private const uint CharacterDevice = 0x2000;

    private readonly SafeFileHandle _root = OpenRoot(root);
    private string _lastParent = "";
    private SafeFileHandle? _last;

    /// <summary>Makes a directory, or gives one that is there its mode and time.</summary>
    /// <param name="path">Relative, names separated by single slashes; empty for the root itself.</param>
    /// <param name="mode">Permissions; set-user-id and set-group-id never pass.</param>
    public void MakeDirectory(string path, uint mode)
    {
        if (path.Length == 0)
        {
            Check(Libc.ChangeModeOf(_root, mode & AllPermissions), path);
            return;
        }
        (SafeFileHandle parent, string name) = Parent(path);
        if (Libc.MakeDirectoryAt(parent, name, DefaultDirectory) != 0)
        {
            if (Libc.Error != Libc.EEXIST)
                throw Failure(path);
            using SafeFileHandle there = Libc.OpenAt(parent, name, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);
            if (there.IsInvalid)
            {
                // A file or a link stands there: the later entry wins.
                Remove(parent, name, path);
                Check(Libc.MakeDirectoryAt(parent, name, DefaultDirectory), path);
            }
        }
        using SafeFileHandle made = Libc.OpenAt(parent, name, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);
        if (made.IsInvalid)
            throw Failure(path);
        // Its owner must be able to fill it, whatever the image says; the sticky bit of /tmp is kept.
        Check(Libc.ChangeModeOf(made, (mode & 0x3FF) | 0x1C0), path);
    }

    /// <summary>Makes a file, in place of whatever stood there.</summary>
    /// <returns>To be written and disposed of.</returns>
    public FileStream CreateFile(string path, uint mode)
    {
        (SafeFileHandle parent, string name) = Parent(path);
        SafeFileHandle file = Create(parent, name);
        if (file.IsInvalid && Libc.Error == Libc.EEXIST)
        {
            Remove(parent, name, path);
            file = Create(parent, name);
        }
        if (file.IsInvalid || Libc.ChangeModeOf(file, mode & AllPermissions) != 0)
            throw Failure(path);
        return new FileStream(file, FileAccess.Write, 0);

        static SafeFileHandle Create(SafeFileHandle parent, string name) =>
            Libc.CreateAt(parent, name, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0x180);
    }

    /// <summary>Makes a symbolic link; where it leads is nobody's business here.</summary>
    public void MakeLink(string path, string target)
    {
        (SafeFileHandle parent, string name) = Parent(path);
        if (Libc.SymbolicLinkAt(target, parent, name) == 0)
            return;
        if (Libc.Error != Libc.EEXIST)
            throw Failure(path);
        Remove(parent, name, path);
        Check(Libc.SymbolicLinkAt(target, parent, name), path);
    }

    /// <summary>Makes a second name of a file of this tree.</summary>
    /// <exception cref="IOException">The target is not in the tree, or is a directory.</exception>
    public void MakeHardLink(string path, string target)
    {
        (SafeFileHandle from, string fromName) = Parent(target, keep: false);
        using (from)
        {
            (SafeFileHandle parent, string name) = Parent(path);
            if (Libc.LinkAt(from, fromName, parent, name, 0) == 0)
                return;
            if (Libc.Error != Libc.EEXIST)
                throw Failure(path);
            if (path == target)
                return;
            Remove(parent, name, path);
            Check(Libc.LinkAt(from, fromName, parent, name, 0), path);
        }
    }

    /// <summary>Hides, for an overlay, what lower layers have under that name: a character device 0/0, which needs no privilege.</summary>
    public void MakeWhiteout(string path)
    {
        (SafeFileHandle parent, string name) = Parent(path);
        if (Libc.MakeNodeAt(parent, name, CharacterDevice, 0) == 0)
            return;
        if (Libc.Error != Libc.EEXIST)
            throw Failure(path);
        Remove(parent, name, path);
        Check(Libc.MakeNodeAt(parent, name, CharacterDevice, 0), path);
    }

    /// <summary>Hides, for an overlay mounted with <c>userxattr</c>, everything that lower layers have in that directory.</summary>
    public void MarkOpaque(string path)
    {
        using SafeFileHandle directory = path.Length == 0 ? OpenRoot(root) : Open(path, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_CLOEXEC);
        if (directory.IsInvalid)
            throw Failure(path);
        Check(Libc.SetAttribute(directory, "user.overlay.opaque", "y"u8, 1, 0), path);
    }

    /// <summary>Sets when an entry was changed, without following it.</summary>
    public void SetTime(string path, long unixSeconds)
    {
        (SafeFileHandle parent, string name) = path.Length == 0 ? (_root, ".") : Parent(path);
        // Both times: access and change. An odd year is not worth failing for.
        ReadOnlySpan<long> times = [unixSeconds, 0, unixSeconds, 0];
        _ = Libc.SetTimesAt(parent, name, times, Libc.AT_SYMLINK_NOFOLLOW);
    }

    public void Dispose()
    {
        _last?.Dispose();
        _root.Dispose();
    }

    /// <summary>The directory of an entry, made with all above it when absent.</summary>
    /// <param name="path">The entry.</param>
    /// <param name="keep">Remember it for the next entry, which mostly is its neighbour; else the caller disposes of it.</param>
    private (SafeFileHandle Parent, string Name) Parent(string path, bool keep = true)
    {
        int slash = path.LastIndexOf('/');
        string directory = slash < 0 ? "" : path[..slash];
        string name = path[(slash + 1)..];
        if (keep && _last is not null && directory == _lastParent)
            return (_last, name);
        SafeFileHandle parent = directory.Length == 0 ? OpenRoot(root) : OpenOrMake(directory);
        if (keep)
        {
            _last?.Dispose();
            (_last, _lastParent) = (parent, directory);
        }
        return (parent, name);
    }

    private SafeFileHandle OpenOrMake(string directory)
    {
        SafeFileHandle there = Open(directory, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_CLOEXEC);
        if (!there.IsInvalid)
            return there;
        if (Libc.Error != Libc.ENOENT)
            throw Failure(directory);
        there.Dispose();
        (SafeFileHandle above, string name) = Parent(directory, keep: false);
        using (above)
        {
            if (Libc.MakeDirectoryAt(above, name, DefaultDirectory) != 0)
                throw Failure(directory);
        }
        there = Open(directory, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_CLOEXEC);
        return there.IsInvalid ? throw Failure(directory) : there;
    }

    private SafeFileHandle Open(string path, int flags) => Libc.OpenBeneath(_root, path, flags);

    private void Remove(SafeFileHandle parent, string name, string path)
    {
        if (Libc.UnlinkAt(parent, name, 0) == 0 || Libc.UnlinkAt(parent, name, Libc.AT_REMOVEDIR) == 0)
            return;
        if (Libc.Error is not (Libc.ENOTEMPTY or Libc.EEXIST))
            throw Failure(path);
        // Every part of this path but the last is the kernel's own name of an open directory.
        TreeRemoval.Remove(FormattableString.Invariant($"/proc/self/fd/{parent.DangerousGetHandle()}/{name}"));
    }

    private static SafeFileHandle OpenRoot(string path)
    {
        SafeFileHandle handle = Libc.OpenDirectory(Libc.AT_FDCWD, path, Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);
        return handle.IsInvalid ? throw new IOException($"cannot open {path}: {Libc.LastError()}") : handle;
    }

    private static void Check(int result, string path)
    {
        if (result != 0)
            throw Failure(path);
    }

    private static IOException Failure(string path)
    {
        int error = Libc.Error;
        string text = $"cannot write {(path.Length == 0 ? "/" : path)} of the tree: {Marshal.GetPInvokeErrorMessage(error)}";
        return new IOException(text, error);
    }
}
