using System.Text.Json;
using Microsoft.Data.Sqlite;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The prepared statement that writes a sandbox, and its reverse.</summary>
internal sealed class RecordStatements : IDisposable
{
    private const string Columns =
        "id, state, provider, image, memory_mb, vcpus, disk_mb, metadata, owner_id, tenant_id, handle, handle_version, reason, created_at, expires_at, updated_at, environment_sealed, parent_sandbox, parent_checkpoint";

    internal const string LoadSql = $"SELECT {Columns} FROM sandboxes WHERE state <> 'destroyed'";

    internal const string SaveSql = $"""
        INSERT INTO sandboxes ({Columns})
        VALUES ($id, $state, $provider, $image, $memory, $vcpus, $disk, $metadata, $owner, $tenant, $handle, $handle_version, $reason, $created, $expires, $updated, $environment, $parent_sandbox, $parent_checkpoint)
        ON CONFLICT (id) DO UPDATE SET state = excluded.state, image = excluded.image, handle = excluded.handle, handle_version = excluded.handle_version,
            reason = excluded.reason, expires_at = excluded.expires_at, updated_at = excluded.updated_at,
            environment_sealed = excluded.environment_sealed
        """;

    private readonly SqliteCommand _save;

    public RecordStatements(SqliteConnection connection)
    {
        _save = connection.CreateCommand();
        _save.CommandText = SaveSql;
        foreach (string name in (ReadOnlySpan<string>)["$id", "$state", "$provider", "$image", "$memory", "$vcpus", "$disk", "$metadata", "$owner", "$tenant",
            "$handle", "$handle_version", "$reason", "$created", "$expires", "$updated", "$environment", "$parent_sandbox", "$parent_checkpoint"])
            _save.Parameters.Add(new SqliteParameter { ParameterName = name });
        _save.Prepare();
    }

    /// <summary>Writes one record inside a transaction.</summary>
    public void Save(SandboxRecord record, SqliteTransaction transaction)
    {
        _save.Transaction = transaction;
        int i = 0;
        Set(record.Id);
        Set(record.State);
        Set(record.Provider);
        Set(record.Image);
        Set(record.MemoryMb);
        Set(record.Vcpus);
        Set(record.DiskMb);
        Set(record.Metadata.Count == 0 ? "{}" : JsonSerializer.Serialize(new Dictionary<string, string>(record.Metadata), RestJson.Default.DictionaryStringString));
        Set(record.OwnerId);
        Set(record.TenantId);
        Set(record.Handle?.State);
        Set(record.Handle?.Version);
        Set(record.Reason);
        Set(StoredTime.Format(record.CreatedAt));
        Set(StoredTime.Format(record.ExpiresAt));
        Set(StoredTime.Format(record.UpdatedAt));
        Set(record.Environment?.Sealed ?? "");
        Set(record.ParentSandbox);
        Set(record.ParentCheckpoint);
        _save.ExecuteNonQuery();

        void Set(object? value) => _save.Parameters[i++].Value = value ?? DBNull.Value;
    }

    /// <summary>Reads every sandbox that is not destroyed.</summary>
    public static List<SandboxRecord> LoadLiving(SqliteConnection connection)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = LoadSql;
        using SqliteDataReader reader = command.ExecuteReader();
        List<SandboxRecord> records = [];
        while (reader.Read())
        {
            records.Add(new SandboxRecord
            {
                Id = reader.GetString(0),
                State = reader.GetString(1),
                Provider = reader.GetString(2),
                Image = reader.GetString(3),
                MemoryMb = reader.GetInt32(4),
                Vcpus = reader.GetInt32(5),
                DiskMb = reader.GetInt32(6),
                Metadata = JsonSerializer.Deserialize(reader.GetString(7), RestJson.Default.DictionaryStringString) ?? [],
                OwnerId = reader.GetString(8),
                TenantId = reader.GetString(9),
                Handle = reader.IsDBNull(10) ? null : new SandboxHandle(reader.GetInt32(11), reader.GetString(10)),
                Reason = reader.GetString(12),
                CreatedAt = StoredTime.Parse(reader.GetString(13)),
                ExpiresAt = StoredTime.Parse(reader.GetString(14)),
                UpdatedAt = StoredTime.Parse(reader.GetString(15)),
                Environment = reader.GetString(16) is { Length: > 0 } environment ? new SandboxEnvironment(environment) : null,
                ParentSandbox = reader.GetString(17),
                ParentCheckpoint = reader.GetString(18),
            });
        }
        return records;
    }

    public void Dispose() => _save.Dispose();
}
