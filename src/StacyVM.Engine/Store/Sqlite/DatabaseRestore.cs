using System.Globalization;
using System.Runtime.InteropServices;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>Puts a backup in the place of a database that no server uses.</summary>
internal static class DatabaseRestore
{
    private static readonly string[] Companions = ["-wal", "-shm"];

    /// <summary>
    /// 1 check the backup, 2 make sure that nobody has the database open, 3 put the present one aside, 4 write the copy, 5 remove what belongs
    /// to the present one, 6 give the copy its name. Until 5 the database is as it was.
    /// </summary>
    /// <param name="backup">The backup; nothing of it changes.</param>
    /// <param name="database">The database; absent on a new machine.</param>
    /// <param name="now">For the name of the safety copy.</param>
    /// <returns>The safety copy of what was there; null when nothing was.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Conflict"/> when a process uses the database, naming it; as the store's otherwise.</exception>
    public static string? Run(string backup, string database, DateTime now)
    {
        if (Path.GetFullPath(backup) == Path.GetFullPath(database))
            throw new StacyVMException(ProblemKind.InvalidInput, "the backup cannot be the database itself");
        // 1.
        DatabaseInspection.Of(backup);
        // 2. The lock of the data directory is the caller's to hold; a database elsewhere has only its open file to tell by.
        if (OpenFiles.HolderOf(database) is { } holder)
            throw new StacyVMException(ProblemKind.Conflict, $"process {holder} has {database} open: stop the server first");
        string draft = database + ".restoring";
        try
        {
            // 3.
            Directory.CreateDirectory(Path.GetDirectoryName(database)!);
            string? safety = File.Exists(database) ? PutAside(database, now) : null;
            // 4.
            Copy(backup, draft);
            KeepOwner(database, draft);
            // 5. A log that stayed behind would be replayed into the restored database.
            foreach (string companion in Companions)
                File.Delete(database + companion);
            // 6.
            File.Move(draft, database, overwrite: true);
            return safety;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StacyVMException(ProblemKind.Unavailable, $"the database {database} cannot be restored: {e.Message}", e);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>A copy with what its log holds; of a damaged one, which SQLite does not copy, its files as they are.</summary>
    private static string PutAside(string database, DateTime now)
    {
        string safety = string.Create(CultureInfo.InvariantCulture, $"{database}.pre-restore-{now:yyyyMMdd'T'HHmmss'Z'}");
        if (Path.Exists(safety))
            throw new StacyVMException(ProblemKind.Conflict, $"{safety} exists already: move it away, or try again in a second");
        try
        {
            DatabaseBackup.Write(database, safety, replace: false);
        }
        catch (StacyVMException e) when (e.Kind == ProblemKind.Unavailable)
        {
            foreach (string part in (string[])["", .. Companions])
            {
                if (File.Exists(database + part))
                    Copy(database + part, safety + part);
            }
        }
        return safety;
    }

    private static void Copy(string from, string to)
    {
        using var source = new FileStream(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var target = new FileStream(to, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = DatabaseBackup.OwnerOnly });
        File.SetUnixFileMode(target.SafeFileHandle, DatabaseBackup.OwnerOnly);
        source.CopyTo(target);
        target.Flush(flushToDisk: true);
    }

    /// <summary>Root restores for the server's user: the file belongs to whom its directory does.</summary>
    private static void KeepOwner(string database, string draft)
    {
        if (Libc.GetEffectiveUserId() != 0)
            return;
        string like = File.Exists(database) ? database : Path.GetDirectoryName(database)!;
        if (FileOwner.Of(like) is { } owner && Libc.ChangeOwner(draft, owner.User, owner.Group) != 0)
            throw new IOException($"{draft} cannot be given to user {owner.User}: {Marshal.GetLastPInvokeErrorMessage()}");
    }
}
