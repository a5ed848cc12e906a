using Microsoft.Data.Sqlite;
using StacyVM.Engine.Environments;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The table <c>registry_connections</c>.</summary>
internal sealed class RegistryConnectionRows(StoreReader reader, StoreWriter writer) : IRegistryConnectionStore
{
    private const string Columns = "id, owner_id, provider, username, secret_ref, is_default, created_at, updated_at";

    public async Task<RegistryConnection?> FindAsync(string id, CancellationToken cancellation) =>
        (await ReadAsync("WHERE id = $key", id, cancellation)).FirstOrDefault();

    public Task<IReadOnlyList<RegistryConnection>> ListAsync(string owner, CancellationToken cancellation) =>
        ReadAsync("WHERE owner_id = $key ORDER BY is_default DESC, created_at, id", owner, cancellation);

    public async Task<bool> SaveAsync(RegistryConnection connection)
    {
        bool saved = false;
        await writer.RunAsync(database =>
        {
            using SqliteTransaction transaction = database.BeginTransaction(deferred: false);
            saved = Upsert(database, connection);
            if (saved && connection.IsDefault)
                TakeDefault(database, connection);
            transaction.Commit();
        });
        return saved;
    }

    public async Task<bool> DeleteAsync(string id)
    {
        int deleted = 0;
        await writer.RunAsync(database =>
        {
            using SqliteCommand command = database.CreateCommand();
            command.CommandText = "DELETE FROM registry_connections WHERE id = $id";
            command.Parameters.AddWithValue("$id", id);
            deleted = command.ExecuteNonQuery();
        });
        return deleted > 0;
    }

    private static bool Upsert(SqliteConnection database, RegistryConnection connection)
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"""
            INSERT INTO registry_connections ({Columns})
            SELECT $id, $owner, $provider, $username, $secret, $default, $created, $updated
            WHERE NOT EXISTS (SELECT 1 FROM registry_connections WHERE owner_id = $owner AND provider = $provider AND username = $username AND id <> $id)
            ON CONFLICT (id) DO UPDATE SET provider = excluded.provider, username = excluded.username, secret_ref = excluded.secret_ref,
                is_default = excluded.is_default, updated_at = excluded.updated_at
            WHERE owner_id = excluded.owner_id
            """;
        command.Parameters.AddWithValue("$id", connection.Id);
        command.Parameters.AddWithValue("$owner", connection.OwnerId);
        command.Parameters.AddWithValue("$provider", connection.Provider);
        command.Parameters.AddWithValue("$username", connection.Username);
        command.Parameters.AddWithValue("$secret", connection.SealedSecret);
        command.Parameters.AddWithValue("$default", connection.IsDefault);
        command.Parameters.AddWithValue("$created", StoredTime.Format(connection.CreatedAt));
        command.Parameters.AddWithValue("$updated", StoredTime.Format(connection.UpdatedAt));
        return command.ExecuteNonQuery() > 0;
    }

    private static void TakeDefault(SqliteConnection database, RegistryConnection connection)
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = "UPDATE registry_connections SET is_default = 0 WHERE owner_id = $owner AND provider = $provider AND id <> $id AND is_default";
        command.Parameters.AddWithValue("$id", connection.Id);
        command.Parameters.AddWithValue("$owner", connection.OwnerId);
        command.Parameters.AddWithValue("$provider", connection.Provider);
        command.ExecuteNonQuery();
    }

    private Task<IReadOnlyList<RegistryConnection>> ReadAsync(string which, string key, CancellationToken cancellation) => reader.ReadAsync<RegistryConnection>(database =>
    {
        using SqliteCommand command = database.CreateCommand();
        command.CommandText = $"SELECT {Columns} FROM registry_connections {which}";
        command.Parameters.AddWithValue("$key", key);
        using SqliteDataReader row = command.ExecuteReader();
        List<RegistryConnection> connections = [];
        while (row.Read())
        {
            connections.Add(new RegistryConnection
            {
                Id = row.GetString(0),
                OwnerId = row.GetString(1),
                Provider = row.GetString(2),
                Username = row.GetString(3),
                SealedSecret = row.GetString(4),
                IsDefault = row.GetBoolean(5),
                CreatedAt = StoredTime.Parse(row.GetString(6)),
                UpdatedAt = StoredTime.Parse(row.GetString(7)),
            });
        }
        return connections;
    }, cancellation);
}
