using Microsoft.Data.Sqlite;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>What a database file is found to be.</summary>
/// <param name="Version">Its schema.</param>
/// <param name="Pending">Steps that this program would apply at its next start.</param>
/// <param name="Bytes">Size of the file.</param>
/// <param name="HoldsSealedSecrets">It holds secrets that only the secret key file opens.</param>
internal sealed record DatabaseInspection(int Version, int Pending, long Bytes, bool HoldsSealedSecrets)
{
    // Where sealed texts are, and what finds one there.
    private static readonly (string Table, string Column, string Where)[] Sealed =
        [("templates", "secrets", "secrets <> '[]'"), ("registry_connections", "secret_ref", "1"), ("sandboxes", "environment_sealed", "environment_sealed <> ''")];

    /// <summary>Reads a database of this program, also while a server uses it, and checks all of it.</summary>
    /// <param name="path">The file; nothing of it changes.</param>
    /// <exception cref="StacyVMException">It is not there, not ours, newer than this program, or damaged; says which.</exception>
    public static DatabaseInspection Of(string path)
    {
        DatabaseFile.RequireOurs(path);
        try
        {
            using SqliteConnection connection = DatabaseFile.Connect(path, SqliteOpenMode.ReadOnly);
            return Of(connection, path);
        }
        catch (SqliteException e)
        {
            throw DatabaseFile.Translate(e, path);
        }
    }

    internal static DatabaseInspection Of(SqliteConnection connection, string path)
    {
        if (DatabaseFile.Scalar(connection, "PRAGMA integrity_check(1)") is string answer && answer != "ok")
            throw new StacyVMException(ProblemKind.Unavailable, $"the database {path} is damaged ({answer.Split('\n')[0]})");
        int version = Migrations.VersionOf(connection);
        if (version > Migrations.Latest)
            throw new StacyVMException(ProblemKind.Unavailable, $"the database {path} was written by a newer version of this server (schema {version}, this one knows {Migrations.Latest})");
        return new DatabaseInspection(version, Migrations.Latest - version, new System.IO.FileInfo(path).Length, Sealed.Any(row => Has(connection, row.Table, row.Column, row.Where)));
    }

    /// <summary>An older schema does not have every one of them.</summary>
    private static bool Has(SqliteConnection connection, string table, string column, string where) =>
        (long)DatabaseFile.Scalar(connection, $"SELECT count(*) FROM pragma_table_info('{table}') WHERE name = '{column}'")! > 0
        && (long)DatabaseFile.Scalar(connection, $"SELECT EXISTS (SELECT 1 FROM {table} WHERE {where})")! > 0;
}
