using System.Globalization;
using System.Text;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>
/// Copies a directory whose content was made by somebody hostile, entry by entry as it is: content with its holes, second names of one file, links,
/// pipes, sockets, whiteouts, permissions, times and <c>user</c> attributes. No path of it is ever resolved: each level is opened from the one above,
/// and nothing is followed. What is copied must stand still meanwhile. Not for two threads at once.
/// </summary>
internal sealed unsafe class TreeCopy : IDisposable
{
    private const int DirectoryFlags = Libc.O_RDONLY | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC;
    private const int FileFlags = Libc.O_RDONLY | Libc.O_NOFOLLOW | Libc.O_NONBLOCK | Libc.O_CLOEXEC;
    private const int DeepestLevel = 512;
    private const int LongestTarget = 4096;
    private const uint OwnerOnly = 0x1C0;

    private readonly Dictionary<ulong, long> _names = [];
    private readonly TreeCopyRules _rules;
    private readonly FileContentCopy _content;
    private readonly CancellationToken _cancellation;
    private readonly string _linksPath;
    private SafeFileHandle? _links;
    private long _copied;

    private TreeCopy(string target, TreeCopyRules rules, CancellationToken cancellation)
    {
        (_rules, _cancellation) = (rules, cancellation);
        _content = new FileContentCopy(cancellation);
        _linksPath = target + ".names";
    }

    /// <summary>Makes a directory that is as another one.</summary>
    /// <param name="source">Every part of it but the last is trusted.</param>
    /// <param name="target">Does not exist; nobody else writes beside it.</param>
    /// <param name="rules">Owner and bound.</param>
    /// <param name="cancellation">Leaves a part of the copy behind.</param>
    /// <returns>Bytes that its blocks and entries take.</returns>
    /// <exception cref="InvalidDataException">It cannot be copied as it is, with the reason.</exception>
    /// <exception cref="IOException">Its <c>HResult</c> is the number of the error.</exception>
    public static long Copy(string source, string target, TreeCopyRules rules, CancellationToken cancellation)
    {
        using var copy = new TreeCopy(target, rules, cancellation);
        using SafeFileHandle from = copy.OpenSource(source);
        if (Libc.MakeDirectory(target, OwnerOnly) != 0)
            throw Failure($"cannot make {target}");
        using SafeFileHandle to = Libc.OpenDirectory(Libc.AT_FDCWD, target, DirectoryFlags);
        if (to.IsInvalid)
            throw Failure($"cannot open {target}");
        FileStatus status = FileStatus.Of(from) ?? throw Failure($"cannot look at {source}");
        copy.CopyEntries(from, to, DeepestLevel);
        copy.Finish(from, to, status);
        return copy._copied;
    }

    public void Dispose()
    {
        if (_links is null)
            return;
        _links.Dispose();
        TreeRemoval.Remove(_linksPath);
    }

    private void CopyEntries(SafeFileHandle from, SafeFileHandle to, int levels)
    {
        const int Size = 16 * 1024;
        byte[] buffer = new byte[Size];
        // Safe: the kernel fills at most Size bytes with whole records, and a record's own length is what advances through them.
        fixed (byte* start = buffer)
        {
            int length;
            while ((length = Libc.ReadDirectory(from, start, Size)) > 0)
            {
                for (byte* entry = start; entry < start + length; entry += *(ushort*)(entry + 16))
                {
                    byte* name = entry + 19;
                    if (name[0] == '.' && (name[1] == 0 || (name[1] == '.' && name[2] == 0)))
                        continue;
                    _cancellation.ThrowIfCancellationRequested();
                    CopyEntry(from, to, name, levels);
                }
            }
            if (length < 0)
                throw Failure("cannot list a directory");
        }
    }

    private void CopyEntry(SafeFileHandle from, SafeFileHandle to, byte* name, int levels)
    {
        FileStatus status = FileStatus.Of(from, name) ?? throw Failure("cannot look at an entry");
        bool second = status.Links > 1 && status.Type != FileStatus.Directory;
        if (second && _names.TryGetValue(status.Inode, out long number))
        {
            Count(0);
            LinkAgain(number, to, name);
            return;
        }
        Count(status.Stored);
        switch (status.Type)
        {
            case FileStatus.Directory:
                CopyDirectory(from, to, name, levels);
                break;
            case FileStatus.Regular:
                CopyFile(from, to, name);
                break;
            case FileStatus.SymbolicLink:
                CopyLink(from, to, name, status);
                break;
            case FileStatus.Pipe or FileStatus.Socket:
            case FileStatus.CharacterDevice when status.IsWhiteout:
                MakeNode(to, name, status);
                break;
            default:
                throw new InvalidDataException("it holds a device");
        }
        if (second)
            Remember(status.Inode, to, name);
    }

    private void CopyDirectory(SafeFileHandle from, SafeFileHandle to, byte* name, int levels)
    {
        if (levels == 0)
            throw new InvalidDataException($"it holds directories more than {DeepestLevel} deep");
        using SafeFileHandle source = Open(from, name, DirectoryFlags);
        FileStatus status = FileStatus.Of(source) ?? throw Failure("cannot look at a directory");
        Check(Libc.MakeDirectoryAt(to, name, OwnerOnly), "cannot make a directory");
        using SafeFileHandle made = Libc.OpenAt(to, name, DirectoryFlags);
        if (made.IsInvalid)
            throw Failure("cannot open a directory that was made just now");
        CopyEntries(source, made, levels - 1);
        Finish(source, made, status);
    }

    private void CopyFile(SafeFileHandle from, SafeFileHandle to, byte* name)
    {
        using SafeFileHandle source = Open(from, name, FileFlags);
        FileStatus status = FileStatus.Of(source) ?? throw Failure("cannot look at a file");
        if (status.Type != FileStatus.Regular)
            throw new InvalidDataException("it changes while it is copied");
        using SafeFileHandle made = Libc.CreateAt(to, name, Libc.O_WRONLY | Libc.O_CREAT | Libc.O_EXCL | Libc.O_NOFOLLOW | Libc.O_CLOEXEC, 0x180);
        if (made.IsInvalid)
            throw Failure("cannot make a file");
        _content.Copy(source, made, status.Size);
        Finish(source, made, status);
    }

    private void CopyLink(SafeFileHandle from, SafeFileHandle to, byte* name, FileStatus status)
    {
        // Safe: one byte more than the longest target, for the zero that ends it.
        byte* target = stackalloc byte[LongestTarget + 1];
        nint length = Libc.ReadLinkAt(from, name, target, LongestTarget);
        if (length < 0)
            throw Failure("cannot read a link");
        target[length] = 0;
        Check(Libc.SymbolicLinkAt(target, to, name), "cannot make a link");
        FinishByName(to, name, status, withMode: false);
    }

    private void MakeNode(SafeFileHandle to, byte* name, FileStatus status)
    {
        Check(Libc.MakeNodeAt(to, name, status.Mode & (uint)FileStatus.TypeMask | 0x180, 0), "cannot make a pipe, a socket or a whiteout");
        FinishByName(to, name, status, withMode: true);
    }

    /// <summary>Attributes need write permission, a change of owner takes set-user-id away, and any change the times: in this order.</summary>
    private void Finish(SafeFileHandle source, SafeFileHandle made, FileStatus status)
    {
        ExtendedAttributes.Copy(source, made);
        if (_rules.Privileged)
            Check(Libc.ChangeOwnerOf(made, _rules.Owner ?? status.User, _rules.Owner ?? status.Group), "cannot change an owner");
        Check(Libc.ChangeModeOf(made, status.Permissions), "cannot change permissions");
        long* times = stackalloc long[4];
        (times[0], times[1], times[2], times[3]) = status.Times;
        _ = Libc.SetTimesOf(made, times);
    }

    private void FinishByName(SafeFileHandle to, byte* name, FileStatus status, bool withMode)
    {
        if (_rules.Privileged)
            Check(Libc.ChangeOwnerAt(to, name, _rules.Owner ?? status.User, _rules.Owner ?? status.Group, Libc.AT_SYMLINK_NOFOLLOW), "cannot change an owner");
        // It was made just now and nobody else writes here: there is no link that would be followed.
        if (withMode)
            Check(Libc.ChangeModeAt(to, name, status.Permissions, 0), "cannot change permissions");
        long* times = stackalloc long[4];
        (times[0], times[1], times[2], times[3]) = status.Times;
        _ = Libc.SetTimesAt(to, name, times, Libc.AT_SYMLINK_NOFOLLOW);
    }

    /// <summary>A file of several names is kept in reach by a name of ours beside the copy, so that no path of the copy has to be found again.</summary>
    private void Remember(ulong inode, SafeFileHandle to, byte* name)
    {
        if (_links is null)
        {
            if (Libc.MakeDirectory(_linksPath, OwnerOnly) != 0)
                throw Failure($"cannot make {_linksPath}");
            _links = Libc.OpenDirectory(Libc.AT_FDCWD, _linksPath, DirectoryFlags);
        }
        long number = _names.Count;
        byte* own = stackalloc byte[24];
        Name(own, number);
        Check(Libc.LinkAt(to, name, _links, own, 0), "cannot make a second name");
        _names[inode] = number;
    }

    private void LinkAgain(long number, SafeFileHandle to, byte* name)
    {
        byte* own = stackalloc byte[24];
        Name(own, number);
        if (Libc.LinkAt(_links!, own, to, name, 0) != 0)
        {
            throw Libc.Error == Libc.EMLINK
                ? new InvalidDataException("it holds a file with as many names as the file system allows")
                : Failure("cannot make a second name");
        }
    }

    private void Count(long stored)
    {
        _copied += stored + TreeUsage.BytesPerEntry;
        if (_copied > _rules.Most)
            throw new InvalidDataException($"it holds more than the {_rules.Most / 1024 / 1024} MiB that it may hold");
    }

    private SafeFileHandle OpenSource(string path)
    {
        SafeFileHandle top = Libc.OpenDirectory(Libc.AT_FDCWD, path, DirectoryFlags);
        if (!top.IsInvalid || Libc.Error != Libc.EACCES)
            return top.IsInvalid ? throw Failure($"cannot open {path}") : top;
        using SafeFileHandle closed = Libc.OpenDirectory(Libc.AT_FDCWD, path, Libc.O_PATH | Libc.O_DIRECTORY | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);
        return OpenClosed(closed, () => Libc.OpenDirectory(Libc.AT_FDCWD, path, DirectoryFlags));
    }

    private static SafeFileHandle Open(SafeFileHandle directory, byte* name, int flags)
    {
        SafeFileHandle file = Libc.OpenAt(directory, name, flags);
        if (!file.IsInvalid || Libc.Error != Libc.EACCES)
            return file.IsInvalid ? throw Failure("cannot open an entry") : file;
        using SafeFileHandle closed = Libc.OpenAt(directory, name, Libc.O_PATH | Libc.O_NOFOLLOW | Libc.O_CLOEXEC);
        return OpenClosed(closed, () => Libc.OpenAt(directory, name, flags));
    }

    /// <summary>
    /// Its owner, who we are when not root, has taken the right from himself: it is given for the moment of the opening. A descriptor opened with O_PATH
    /// takes no fchmod; its entry below /proc names exactly the same file.
    /// </summary>
    private static SafeFileHandle OpenClosed(SafeFileHandle closed, Func<SafeFileHandle> open)
    {
        if (closed.IsInvalid || FileStatus.Of(closed) is not { } status)
            throw Failure("cannot open an entry");
        string path = string.Create(CultureInfo.InvariantCulture, $"/proc/self/fd/{closed.DangerousGetHandle()}");
        _ = Libc.ChangeMode(path, status.Permissions | OwnerOnly);
        SafeFileHandle file = open();
        IOException? failure = file.IsInvalid ? Failure("cannot open an entry") : null;
        _ = Libc.ChangeMode(path, status.Permissions);
        return failure is null ? file : throw failure;
    }

    // Safe: 24 bytes hold twenty digits and the terminating zero.
    private static void Name(byte* target, long number)
    {
        var span = new Span<byte>(target, 24);
        int length = Encoding.ASCII.GetBytes(number.ToString(CultureInfo.InvariantCulture), span);
        span[length] = 0;
    }

    private static void Check(int result, string what)
    {
        if (result != 0)
            throw Failure(what);
    }

    private static IOException Failure(string what)
    {
        int error = Libc.Error;
        return new IOException($"{what} while a tree is copied: {System.Runtime.InteropServices.Marshal.GetPInvokeErrorMessage(error)}", error);
    }
}

/// <param name="Owner">Whose everything in the copy is; null: as in the original.</param>
/// <param name="Privileged">The server is root; otherwise everything is its own user's.</param>
/// <param name="Most">Bytes that blocks and entries may take together.</param>
internal readonly record struct TreeCopyRules(uint? Owner, bool Privileged, long Most);
