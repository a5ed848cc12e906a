using Microsoft.Data.Sqlite;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>Readings of the file, beside the one writer: each on a connection of its own.</summary>
internal sealed class StoreReader(string path)
{
    public Task<IReadOnlyList<T>> ReadAsync<T>(Func<SqliteConnection, List<T>> read, CancellationToken cancellation) => Task.Run<IReadOnlyList<T>>(() =>
    {
        using SqliteConnection connection = DatabaseFile.OpenForReading(path);
        try
        {
            return read(connection);
        }
        catch (SqliteException e)
        {
            throw DatabaseFile.Translate(e, path);
        }
    }, cancellation);
}
