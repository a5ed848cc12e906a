using System.Text.Json;
using Microsoft.Data.Sqlite;
using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The table <c>checkpoints</c>.</summary>
internal sealed class CheckpointRows(StoreReader reader, StoreWriter writer) : ICheckpointStore
{
    private const string Columns =
        "id, name, state, provider, content, image, memory_mb, vcpus, metadata, owner_id, tenant_id, parent_sandbox, parent_checkpoint, environment_sealed, size_bytes, reason, created_at, updated_at";

    public Task<IReadOnlyList<CheckpointRecord>> LoadAsync(CancellationToken cancellation) => reader.ReadAsync<CheckpointRecord>(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"SELECT {Columns} FROM checkpoints";
        using SqliteDataReader rows = command.ExecuteReader();
        List<CheckpointRecord> records = [];
        while (rows.Read())
            records.Add(Read(rows));
        return records;
    }, cancellation);

    public Task SaveAsync(CheckpointRecord record) => writer.RunAsync(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"""
            INSERT INTO checkpoints ({Columns})
            VALUES ($id, $name, $state, $provider, $content, $image, $memory, $vcpus, $metadata, $owner, $tenant, $parent_sandbox, $parent_checkpoint, $environment, $bytes, $reason, $created, $updated)
            ON CONFLICT (id) DO UPDATE SET state = excluded.state, size_bytes = excluded.size_bytes, reason = excluded.reason, updated_at = excluded.updated_at
            """;
        Set("$id", record.Id);
        Set("$name", record.Name);
        Set("$state", record.State);
        Set("$provider", record.Provider);
        Set("$content", record.Content);
        Set("$image", record.Image);
        Set("$memory", record.MemoryMb);
        Set("$vcpus", record.Vcpus);
        Set("$metadata", JsonSerializer.Serialize(new Dictionary<string, string>(record.Metadata), RestJson.Default.DictionaryStringString));
        Set("$owner", record.OwnerId);
        Set("$tenant", record.TenantId);
        Set("$parent_sandbox", record.ParentSandbox);
        Set("$parent_checkpoint", record.ParentCheckpoint);
        Set("$environment", record.Environment?.Sealed ?? "");
        Set("$bytes", record.Bytes);
        Set("$reason", record.Reason);
        Set("$created", StoredTime.Format(record.CreatedAt));
        Set("$updated", StoredTime.Format(record.UpdatedAt));
        command.ExecuteNonQuery();

        void Set(string name, object value) => command.Parameters.AddWithValue(name, value);
    });

    public Task DeleteAsync(string id) => writer.RunAsync(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "DELETE FROM checkpoints WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        command.ExecuteNonQuery();
    });

    private static CheckpointRecord Read(SqliteDataReader row) => new()
    {
        Id = row.GetString(0),
        Name = row.GetString(1),
        State = row.GetString(2),
        Provider = row.GetString(3),
        Content = row.GetString(4),
        Image = row.GetString(5),
        MemoryMb = row.GetInt32(6),
        Vcpus = row.GetInt32(7),
        Metadata = JsonSerializer.Deserialize(row.GetString(8), RestJson.Default.DictionaryStringString) ?? [],
        OwnerId = row.GetString(9),
        TenantId = row.GetString(10),
        ParentSandbox = row.GetString(11),
        ParentCheckpoint = row.GetString(12),
        Environment = row.GetString(13) is { Length: > 0 } environment ? new SandboxEnvironment(environment) : null,
        Bytes = row.GetInt64(14),
        Reason = row.GetString(15),
        CreatedAt = StoredTime.Parse(row.GetString(16)),
        UpdatedAt = StoredTime.Parse(row.GetString(17)),
    };
}
