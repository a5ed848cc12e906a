using System.Globalization;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store;

/// <summary>
/// Keeps a data directory for one server. The kernel lets go of the lock when its process ends, however it ends, so there is no stale one.
/// </summary>
internal sealed class DataDirectoryLock : IDisposable
{
    private readonly FileStream _file;

    private DataDirectoryLock(FileStream file) => _file = file;

    /// <summary>Makes the directory when absent and takes it.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/> when another server has it, naming that one, or when it cannot be used.</exception>
    public static DataDirectoryLock Take(string directory)
    {
        string path = LockPath(directory);
        try
        {
            // Passable but not listable for others: sandboxes run as users of their own and reach their sockets through it.
            Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
                | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StacyVMException(ProblemKind.Unavailable, $"the data directory {directory} cannot be made ({e.Message.TrimEnd('.')}): set data_dir to a place that the server's user may write", e);
        }
        try
        {
            // Without sharing the runtime takes an exclusive flock of the file.
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            // Beside the lock, because a locked file cannot be read by the one who is to be told.
            File.WriteAllText(HolderPath(directory), Environment.ProcessId.ToString(CultureInfo.InvariantCulture) + "\n");
            return new DataDirectoryLock(file);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new StacyVMException(ProblemKind.Unavailable, $"the data directory {directory} cannot be written: make it writable for the server's user, or set data_dir", e);
        }
        catch (IOException e) when (IsLocked(e) && HolderOf(directory) is { } holder)
        {
            throw new StacyVMException(
                ProblemKind.Unavailable, $"the data directory {directory} is in use by another server (process {holder}): end that one, or give this one a data_dir of its own", e);
        }
        catch (IOException e)
        {
            throw new StacyVMException(ProblemKind.Unavailable, $"the data directory {directory} cannot be written ({e.Message.TrimEnd('.')}): free or repair its disk, or set data_dir", e);
        }
    }

    public void Dispose() => _file.Dispose();

    private static string HolderPath(string directory) => Path.Combine(directory, "server.pid");

    // EWOULDBLOCK, which the runtime passes on for a lock that another has.
    private static bool IsLocked(IOException e) => e.HResult == 11 || (e.HResult & 0xFFFF) == 32;

    /// <summary>The server that has the directory, found without touching its lock; null when none is seen.</summary>
    public static int? ServerOf(string directory) => OpenFiles.HolderOf(LockPath(directory));

    private static string LockPath(string directory) => Path.Combine(directory, "server.lock");

    /// <summary>Who has the lock, as far as can be read.</summary>
    private static string? HolderOf(string directory)
    {
        try
        {
            string text = File.ReadAllText(HolderPath(directory)).Trim();
            return text.Length is > 0 and < 20 ? text : "unknown";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "unknown";
        }
    }
}
