using System.Globalization;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Images.Layers;

/// <summary>
/// A copy of what the layers of an image look like as one tree, for levels that can mount nothing. It costs the time and the disk of the whole
/// image for each sandbox; files of several names become several files.
/// </summary>
/// <param name="owner">User and group that all of it is given to; null: left as the server's own.</param>
internal sealed class MergedCopy(uint? owner)
{
    /// <summary>Every directory of the target is made here and is no link, so that nothing is ever written through one.</summary>
    /// <param name="layers">Uppermost first. Nobody writes there.</param>
    /// <param name="target">An empty directory.</param>
    /// <param name="cancellation">Stops in the middle; the target is then the caller's to remove.</param>
    public void Run(IReadOnlyList<string> layers, string target, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        // The highest layer that has a name decides what it is; directories of lower ones add to it until one is opaque.
        var below = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var decided = new HashSet<string>(StringComparer.Ordinal);
        foreach (string layer in layers)
        {
            foreach (FileSystemInfo entry in new DirectoryInfo(layer).EnumerateFileSystemInfos())
                Take(entry, target, below, decided);
            if (OverlayMarks.IsOpaque(layer))
                break;
        }
        foreach ((string name, List<string> directories) in below)
        {
            string made = Path.Combine(target, name);
            UnixFileMode mode = new DirectoryInfo(directories[0]).UnixFileMode;
            Directory.CreateDirectory(made);
            Run(directories, made, cancellation);
            // Last: it may be closed even to its owner.
            File.SetUnixFileMode(made, mode & ~(UnixFileMode.SetUser | UnixFileMode.SetGroup) | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            Own(made);
        }
    }

    private void Take(FileSystemInfo entry, string target, Dictionary<string, List<string>> below, HashSet<string> decided)
    {
        bool isDirectory = entry is DirectoryInfo && entry.LinkTarget is null;
        if (below.TryGetValue(entry.Name, out List<string>? directories))
        {
            // A file of a lower layer, or a white-out, ends what adds to the directory.
            if (isDirectory && !decided.Contains(entry.Name))
                Add(directories, entry, decided);
            else
                decided.Add(entry.Name);
            return;
        }
        if (isDirectory && !decided.Contains(entry.Name))
        {
            below[entry.Name] = directories = [];
            Add(directories, entry, decided);
            return;
        }
        if (!decided.Add(entry.Name) || (entry is FileInfo { Length: 0, LinkTarget: null } && OverlayMarks.IsWhiteout(entry.FullName)))
            return;
        string made = Path.Combine(target, entry.Name);
        if (entry.LinkTarget is { } link)
            File.CreateSymbolicLink(made, link);
        else
            File.Copy(entry.FullName, made);
        Own(made);
    }

    private static void Add(List<string> directories, FileSystemInfo entry, HashSet<string> decided)
    {
        directories.Add(entry.FullName);
        if (OverlayMarks.IsOpaque(entry.FullName))
            decided.Add(entry.Name);
    }

    private void Own(string path)
    {
        if (owner is { } user && Libc.ChangeOwnerOfEntry(path, user, user) != 0)
            throw new IOException(string.Create(CultureInfo.InvariantCulture, $"cannot give {path} to user {user}: {Libc.LastError()}"), Libc.Error);
    }
}
