using Microsoft.Data.Sqlite;
using StacyVM.Engine.Quotas;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The table <c>owner_quotas</c>.</summary>
internal sealed class OwnerQuotaRows(StoreReader reader, StoreWriter writer) : IOwnerQuotaStore
{
    public Task<IReadOnlyList<OwnerQuota>> LoadAsync(CancellationToken cancellation) => reader.ReadAsync<OwnerQuota>(Load, cancellation);

    public Task SaveAsync(OwnerQuota quota) => writer.RunAsync(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = """
            INSERT INTO owner_quotas (owner_id, max_sandboxes, max_ttl_seconds, max_exec_timeout_seconds, created_at, updated_at)
            VALUES ($owner, $sandboxes, $ttl, $exec, $created, $updated)
            ON CONFLICT (owner_id) DO UPDATE SET max_sandboxes = excluded.max_sandboxes, max_ttl_seconds = excluded.max_ttl_seconds,
                max_exec_timeout_seconds = excluded.max_exec_timeout_seconds, updated_at = excluded.updated_at
            """;
        command.Parameters.AddWithValue("$owner", quota.OwnerId);
        command.Parameters.AddWithValue("$sandboxes", quota.MaxSandboxes);
        command.Parameters.AddWithValue("$ttl", Seconds(quota.MaxTtl));
        command.Parameters.AddWithValue("$exec", Seconds(quota.MaxExecTimeout));
        command.Parameters.AddWithValue("$created", StoredTime.Format(quota.CreatedAt));
        command.Parameters.AddWithValue("$updated", StoredTime.Format(quota.UpdatedAt));
        command.ExecuteNonQuery();
    });

    public Task DeleteAsync(string owner) => writer.RunAsync(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "DELETE FROM owner_quotas WHERE owner_id = $owner";
        command.Parameters.AddWithValue("$owner", owner);
        command.ExecuteNonQuery();
    });

    private static List<OwnerQuota> Load(SqliteConnection connection)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT owner_id, max_sandboxes, max_ttl_seconds, max_exec_timeout_seconds, created_at, updated_at FROM owner_quotas";
        using SqliteDataReader reader = command.ExecuteReader();
        List<OwnerQuota> quotas = [];
        while (reader.Read())
        {
            quotas.Add(new OwnerQuota
            {
                OwnerId = reader.GetString(0),
                MaxSandboxes = reader.GetInt32(1),
                MaxTtl = TimeSpan.FromSeconds(reader.GetInt64(2)),
                MaxExecTimeout = TimeSpan.FromSeconds(reader.GetInt64(3)),
                CreatedAt = StoredTime.Parse(reader.GetString(4)),
                UpdatedAt = StoredTime.Parse(reader.GetString(5)),
            });
        }
        return quotas;
    }

    private static long Seconds(TimeSpan time) => time.Ticks / TimeSpan.TicksPerSecond;
}
