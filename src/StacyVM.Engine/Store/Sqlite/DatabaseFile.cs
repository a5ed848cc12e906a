using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>
/// Opening the database file: it is ours, or new, or it is left exactly as it is.
/// </summary>
internal static class DatabaseFile
{
    // From the file format: where its header keeps the application id, big-endian.
    private const int ApplicationIdOffset = 68;
    private const long QuickCheckBytes = 64 * 1024 * 1024;

    // Result codes of SQLite.
    private const int Busy = 5;
    private const int Locked = 6;
    private const int ReadOnly = 8;
    private const int Corrupt = 11;
    private const int Full = 13;
    private const int CannotOpen = 14;
    private const int NotADatabase = 26;

    /// <summary>
    /// 1 look at the header without SQLite, 2 open, 3 mark a new file as ours, 4 refuse a newer schema, 5 check a small file, 6 switch to WAL, 7 migrate.
    /// </summary>
    public static SqliteConnection OpenForWriting(string path, DateTime now)
    {
        // 1. SQLite itself writes while it opens (recovery, journal mode): a file that is not ours must not get so far.
        bool fresh = IsFresh(path);
        SqliteConnection? connection = null;
        try
        {
            // 2.
            connection = Connect(path, SqliteOpenMode.ReadWriteCreate);
            // 3. In its own transaction before the switch to WAL, so that the id stands in the file and not only in its log.
            if (fresh)
                Execute(connection, $"PRAGMA application_id = {Migrations.ApplicationId}");
            // 4.
            int version = Migrations.VersionOf(connection);
            if (version > Migrations.Latest)
                throw Unusable(path, $"was written by a newer version of this server (schema {version}, this one knows {Migrations.Latest}): start that version, or set database.path to another file");
            // 5.
            if (!fresh && new System.IO.FileInfo(path).Length <= QuickCheckBytes && Scalar(connection, "PRAGMA quick_check(1)") is string answer && answer != "ok")
                throw Unusable(path, $"is damaged ({FirstLine(answer)}): restore a backup, or move the file and its -wal and -shm away to start empty");
            // 6.
            Execute(connection, "PRAGMA journal_mode = WAL");
            Execute(connection, "PRAGMA synchronous = NORMAL");
            // 7.
            Migrations.Apply(connection, now);
            return connection;
        }
        catch (SqliteException e)
        {
            connection?.Dispose();
            throw Translate(e, path);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <summary>A connection for reading; dispose it after use.</summary>
    public static SqliteConnection OpenForReading(string path)
    {
        try
        {
            return Connect(path, SqliteOpenMode.ReadWrite);
        }
        catch (SqliteException e)
        {
            throw Translate(e, path);
        }
    }

    /// <summary>What an error of SQLite means for the operator.</summary>
    public static StacyVMException Translate(SqliteException e, string path) => e.SqliteErrorCode switch
    {
        Full => new StacyVMException(ProblemKind.StorageFull, $"the database {path} cannot grow: free space on its disk", e),
        Corrupt or NotADatabase => Unusable(path, "is damaged: restore a backup, or move the file and its -wal and -shm away to start empty", e),
        ReadOnly => Unusable(path, "cannot be written: make the file and its directory writable for the server's user, or set database.path", e),
        CannotOpen => Unusable(path, "cannot be opened: its directory must exist and be writable for the server's user, or set database.path", e),
        Busy or Locked => Unusable(path, "is locked by another program: end that program", e),
        _ => Unusable(path, $"failed ({FirstLine(e.Message)})", e),
    };

    /// <summary>The text that begins every database.</summary>
    private static ReadOnlySpan<byte> Magic => "SQLite format 3\0"u8;

    internal static SqliteConnection Connect(string path, SqliteOpenMode mode)
    {
        var text = new SqliteConnectionStringBuilder { DataSource = path, Mode = mode, Pooling = false, DefaultTimeout = 10 };
        var connection = new SqliteConnection(text.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA busy_timeout = 5000");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Refuses what is not a database of this program, without SQLite touching it.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.NotFound"/> when it is not there.</exception>
    public static void RequireOurs(string path)
    {
        if (!File.Exists(path))
            throw new StacyVMException(ProblemKind.NotFound, $"there is no database {path}");
        if (IsFresh(path))
            throw Unusable(path, "is empty");
    }

    private static bool IsFresh(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            Span<byte> header = stackalloc byte[ApplicationIdOffset + 4];
            int read = stream.ReadAtLeast(header, header.Length, throwOnEndOfStream: false);
            if (read == 0)
                return true;
            if (read < header.Length || !header[..Magic.Length].SequenceEqual(Magic))
                throw Unusable(path, "is not a database: move the file away, or set database.path to another file");
            int id = BinaryPrimitives.ReadInt32BigEndian(header[ApplicationIdOffset..]);
            if (id != Migrations.ApplicationId)
                throw Unusable(path, "is a database of another program: move the file away, or set database.path to another file");
            return false;
        }
        catch (FileNotFoundException)
        {
            MakePrivate(path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, $"cannot be opened ({e.Message.TrimEnd('.')}): its directory must exist and be writable for the server's user, or set database.path", e);
        }
    }

    /// <summary>Made here, because SQLite makes it readable for everyone; its log takes over the mode of the file.</summary>
    private static void MakePrivate(string path)
    {
        try
        {
            using var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unusable(path, $"cannot be made ({e.Message.TrimEnd('.')}): its directory must exist and be writable for the server's user, or set database.path", e);
        }
    }

    internal static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    internal static object? Scalar(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar();
    }

    private static string FirstLine(string text) => text.ReplaceLineEndings("\n").Split('\n', 2)[0];

    private static StacyVMException Unusable(string path, string what, Exception? inner = null) =>
        new(ProblemKind.Unavailable, $"the database {path} {what}", inner);
}
