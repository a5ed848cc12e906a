using System.Diagnostics;
using System.Security.Cryptography;
using Microsoft.Data.Sqlite;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>What the next start will do to a database, done to a copy of it.</summary>
/// <param name="From">Schema of the database.</param>
/// <param name="To">Schema of the copy afterwards.</param>
/// <param name="Took">How long the steps took.</param>
internal sealed record MigrationRehearsal(int From, int To, TimeSpan Took)
{
    /// <summary>1 copy, 2 migrate the copy as a start does, 3 check it, 4 throw it away. The database is only read.</summary>
    /// <param name="database">The database.</param>
    /// <param name="folder">Where the copy lies meanwhile; it needs as much room as the database.</param>
    /// <param name="now">The time that the steps are recorded with.</param>
    /// <exception cref="StacyVMException">A step fails, or the copy is damaged after it.</exception>
    public static MigrationRehearsal Run(string database, string folder, DateTime now)
    {
        string copy = Path.Combine(folder, $"stacyvm-rehearsal-{RandomNumberGenerator.GetHexString(8, lowercase: true)}.db");
        try
        {
            // 1.
            int from = DatabaseBackup.Write(database, copy, replace: false).Version;
            // 2.
            long start = Stopwatch.GetTimestamp();
            using (SqliteConnection connection = DatabaseFile.OpenForWriting(copy, now))
            {
                TimeSpan took = Stopwatch.GetElapsedTime(start);
                // 3.
                DatabaseInspection after = DatabaseInspection.Of(connection, copy);
                return new MigrationRehearsal(from, after.Version, took);
            }
        }
        catch (SqliteException e)
        {
            throw DatabaseFile.Translate(e, copy);
        }
        finally
        {
            // 4.
            foreach (string part in (string[])["", "-wal", "-shm"])
                File.Delete(copy + part);
        }
    }
}
