using System.Collections.Concurrent;
using FileInfo = StacyVM.Protocol.Rest.FileInfo;

namespace StacyVM.Sdk;

/// <summary>Copies trees, a few files at a time.</summary>
internal sealed class DirectoryTransfer(Sandbox sandbox, IProgress<string>? progress)
{
    private const int AtATime = 8;
    private const UnixFileMode PermissionBits = (UnixFileMode)0b111_111_111;
    private readonly ConcurrentQueue<string> _skipped = new();
    private int _files;
    private long _bytes;

    public async Task<DirectoryCopy> UploadAsync(string localRoot, string remoteRoot, CancellationToken cancellation)
    {
        // 1. Directories, parents first, so that files never race for the same parent.
        var files = new List<(string Local, string Remote)>();
        var waiting = new Queue<(string Local, string Remote)>([(localRoot, remoteRoot)]);
        while (waiting.TryDequeue(out (string Local, string Remote) directory))
        {
            await sandbox.MakeDirectoryAsync(directory.Remote, ModeOf(directory.Local), cancellation).ConfigureAwait(false);
            foreach (FileSystemInfo entry in new DirectoryInfo(directory.Local).EnumerateFileSystemInfos())
            {
                string remote = Join(directory.Remote, entry.Name);
                if (entry.LinkTarget is not null)
                    _skipped.Enqueue(entry.FullName);
                else if (entry is DirectoryInfo)
                    waiting.Enqueue((entry.FullName, remote));
                else if ((entry.Attributes & (FileAttributes.Device | FileAttributes.ReparsePoint)) != 0)
                    _skipped.Enqueue(entry.FullName);
                else
                    files.Add((entry.FullName, remote));
            }
        }

        // 2. Files.
        await Parallel.ForEachAsync(files, Limits(cancellation), async (file, stop) =>
        {
            using var content = new FileStream(file.Local, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: true);
            // The request closes the stream when it has sent it.
            long length = content.Length;
            await sandbox.WriteFileAsync(file.Remote, content, ModeOf(file.Local), stop).ConfigureAwait(false);
            Done(file.Remote, length);
        }).ConfigureAwait(false);
        return Result();
    }

    public async Task<DirectoryCopy> DownloadAsync(string remoteRoot, string localRoot, CancellationToken cancellation)
    {
        var files = new List<(FileInfo Remote, string Local)>();
        var waiting = new Queue<(string Remote, string Local)>([(remoteRoot, localRoot)]);
        while (waiting.TryDequeue(out (string Remote, string Local) directory))
        {
            Directory.CreateDirectory(directory.Local);
            foreach (FileInfo entry in await sandbox.ListFilesAsync(directory.Remote, cancellation).ConfigureAwait(false))
            {
                // The sandbox chooses its names and must not choose where they land here.
                if (!IsPlainName(entry.Name))
                    throw new InvalidDataException($"sandbox {sandbox.Id} lists an entry named '{entry.Name}' in {directory.Remote}, which is not a file name; nothing was written for it");
                string local = Path.Combine(directory.Local, entry.Name);
                string remote = Join(directory.Remote, entry.Name);
                if (entry.Type is "symlink" or "other" || new System.IO.FileInfo(local).LinkTarget is not null)
                    _skipped.Enqueue(remote);
                else if (entry.IsDir)
                    waiting.Enqueue((remote, local));
                else
                    files.Add((entry with { Path = remote }, local));
            }
        }
        await Parallel.ForEachAsync(files, Limits(cancellation), async (file, stop) =>
        {
            using Stream content = await sandbox.OpenReadAsync(file.Remote.Path, cancellation: stop).ConfigureAwait(false);
            using var target = new FileStream(file.Local, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0, useAsync: true);
            await content.CopyToAsync(target, 128 * 1024, stop).ConfigureAwait(false);
            SetMode(file.Local, file.Remote.Mode);
            Done(file.Local, target.Length);
        }).ConfigureAwait(false);
        return Result();
    }

    internal static bool IsPlainName(string name) =>
        name.Length > 0 && name is not ("." or "..") && name.IndexOfAny(['/', '\0']) < 0
        && (!OperatingSystem.IsWindows() || name.IndexOfAny(Path.GetInvalidFileNameChars()) < 0);

    internal static string Join(string directory, string name) => directory.EndsWith('/') ? directory + name : directory + "/" + name;

    private static ParallelOptions Limits(CancellationToken cancellation) => new() { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation };

    private static string? ModeOf(string path) =>
        OperatingSystem.IsWindows() ? null : "0" + Convert.ToString((int)(File.GetUnixFileMode(path) & PermissionBits), 8).PadLeft(3, '0');

    private static void SetMode(string path, string octal)
    {
        if (OperatingSystem.IsWindows())
            return;
        try
        {
            // Set-user-id and the like from inside a sandbox have no business on this machine.
            File.SetUnixFileMode(path, (UnixFileMode)Convert.ToInt32(octal, 8) & PermissionBits);
        }
        catch (FormatException)
        {
            // A server that tells modes otherwise: the default stays.
        }
    }

    private void Done(string path, long bytes)
    {
        Interlocked.Increment(ref _files);
        Interlocked.Add(ref _bytes, bytes);
        progress?.Report(path);
    }

    private DirectoryCopy Result() => new(_files, _bytes, [.. _skipped]);
}
