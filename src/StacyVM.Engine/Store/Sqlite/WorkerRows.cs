using System.Text.Json;
using Microsoft.Data.Sqlite;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The table <c>workers</c>.</summary>
internal sealed class WorkerRows(StoreReader reader, StoreWriter writer) : IWorkerStore
{
    public Task SaveAsync(WorkerRow worker) => writer.RunAsync(connection =>
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = """
            INSERT INTO workers (id, hostname, status, providers, capabilities, capacity, last_heartbeat, created_at, updated_at)
            VALUES ($id, $hostname, $status, $providers, $capabilities, $capacity, $heartbeat, $created, $heartbeat)
            ON CONFLICT (id) DO UPDATE SET hostname = excluded.hostname, status = excluded.status, providers = excluded.providers,
                capabilities = excluded.capabilities, capacity = excluded.capacity, last_heartbeat = excluded.last_heartbeat, updated_at = excluded.updated_at
            """;
        command.Parameters.AddWithValue("$id", worker.Id);
        command.Parameters.AddWithValue("$hostname", worker.Hostname);
        command.Parameters.AddWithValue("$status", worker.Status);
        command.Parameters.AddWithValue("$providers", Format(worker.Providers));
        command.Parameters.AddWithValue("$capabilities", Format(worker.Capabilities));
        command.Parameters.AddWithValue("$capacity", worker.Capacity);
        command.Parameters.AddWithValue("$heartbeat", StoredTime.Format(worker.LastHeartbeat));
        command.Parameters.AddWithValue("$created", StoredTime.Format(worker.CreatedAt));
        command.ExecuteNonQuery();
    });

    public async Task<WorkerRow?> FindAsync(string id, CancellationToken cancellation) =>
        (await reader.ReadAsync(connection => Read(connection, id), cancellation)).SingleOrDefault();

    private static List<WorkerRow> Read(SqliteConnection connection, string id)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT id, hostname, status, providers, capabilities, capacity, last_heartbeat, created_at FROM workers WHERE id = $id";
        command.Parameters.AddWithValue("$id", id);
        using SqliteDataReader row = command.ExecuteReader();
        List<WorkerRow> found = [];
        while (row.Read())
        {
            found.Add(new WorkerRow(
                row.GetString(0), row.GetString(1), row.GetString(2), Parse(row.GetString(3)), Parse(row.GetString(4)), row.GetString(5),
                StoredTime.Parse(row.GetString(6)), StoredTime.Parse(row.GetString(7))));
        }
        return found;
    }

    private static string Format(IReadOnlyList<string> list) => JsonSerializer.Serialize(list, RestJson.Default.IReadOnlyListString);

    private static IReadOnlyList<string> Parse(string list) => JsonSerializer.Deserialize(list, RestJson.Default.ListString) ?? [];
}
