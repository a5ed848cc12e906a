using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>A whole copy of a database at one moment, made beside a server that goes on writing.</summary>
internal static class DatabaseBackup
{
    internal const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private const UnixFileMode Folder = OwnerOnly | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute;

    /// <summary>
    /// 1 refuse what is in the way, 2 copy under another name, 3 check the copy, 4 give it its name. Whoever looks finds a whole backup or none.
    /// </summary>
    /// <param name="source">The database.</param>
    /// <param name="target">The file to make, readable by its owner alone; its directory is made when absent.</param>
    /// <param name="replace">Whether an existing file may be replaced.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Conflict"/> when the target exists; as the store's otherwise.</exception>
    public static DatabaseInspection Write(string source, string target, bool replace)
    {
        // 1.
        DatabaseFile.RequireOurs(source);
        if (IsSame(source, target))
            throw new StacyVMException(ProblemKind.InvalidInput, "the backup cannot be the database itself");
        if (!replace && Path.Exists(target))
            throw Taken(target);
        string draft = $"{target}.{RandomNumberGenerator.GetHexString(8, lowercase: true)}.partial";
        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(target)!, Folder);
            // 2. SQLite fills an empty file, which keeps its mode: nobody else can read the copy at any moment.
            using (new FileStream(draft, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
            {
            }
            Copy(source, draft);
            // 3.
            DatabaseInspection found = DatabaseInspection.Of(draft);
            using (var file = new FileStream(draft, FileMode.Open, FileAccess.ReadWrite))
                file.Flush(flushToDisk: true);
            // 4.
            File.Move(draft, target, replace);
            return found;
        }
        catch (IOException) when (!replace && Path.Exists(target) && File.Exists(draft))
        {
            throw Taken(target);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StacyVMException(ProblemKind.Unavailable, $"the backup {target} cannot be written: {e.Message}", e);
        }
        finally
        {
            File.Delete(draft);
        }
    }

    private static void Copy(string source, string draft)
    {
        try
        {
            using SqliteConnection connection = DatabaseFile.OpenForReading(source);
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = "VACUUM INTO $target";
            command.Parameters.AddWithValue("$target", draft);
            // A large database takes as long as its disk needs.
            command.CommandTimeout = 0;
            command.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw DatabaseFile.Translate(e, source);
        }
    }

    private static bool IsSame(string source, string target) => Path.GetFullPath(source) == Path.GetFullPath(target);

    private static StacyVMException Taken(string target) =>
        new(ProblemKind.Conflict, $"{target} exists already: choose another name, or say --force");
}
