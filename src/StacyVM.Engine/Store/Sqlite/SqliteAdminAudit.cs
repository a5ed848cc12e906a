using Microsoft.Data.Sqlite;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The table of the admin audit.</summary>
internal sealed class SqliteAdminAudit(StoreReader reader, StoreWriter writer) : IAdminAuditStore
{
    private const int TrimChunk = 1_000;
    private const string Refused = "status IN (401, 403, 421, 429)";

    public async Task<IReadOnlyList<AdminAuditRecord>> ReadAsync(AdminAuditFilter filter, CancellationToken cancellation)
    {
        // Whoever asks has been told of the calls before: their rows may still wait for company.
        await writer.RunAsync(static _ => { });
        return await reader.ReadAsync(connection => Read(connection, filter), cancellation);
    }

    public async Task TrimAsync(DateTime? before, int maxRefused)
    {
        if (before is { } time)
        {
            await DeleteAsync(
                $"DELETE FROM admin_audit_logs WHERE id IN (SELECT id FROM admin_audit_logs WHERE created_at < $bound LIMIT {TrimChunk})", StoredTime.Format(time));
        }
        await DeleteAsync(
            $"DELETE FROM admin_audit_logs WHERE id IN (SELECT id FROM admin_audit_logs WHERE {Refused} ORDER BY id DESC LIMIT {TrimChunk} OFFSET $bound)", maxRefused);
    }

    /// <summary>Deletes in chunks, so that records wait for one chunk at most.</summary>
    private async Task DeleteAsync(string sql, object bound)
    {
        int deleted;
        do
        {
            deleted = 0;
            await writer.RunAsync(connection =>
            {
                using SqliteCommand command = connection.CreateCommand();
                command.CommandText = sql;
                command.Parameters.AddWithValue("$bound", bound);
                deleted = command.ExecuteNonQuery();
            });
        }
        while (deleted == TrimChunk);
    }

    private static List<AdminAuditRecord> Read(SqliteConnection connection, AdminAuditFilter filter)
    {
        using SqliteCommand command = connection.CreateCommand();
        List<string> conditions = [];
        if (filter.Actors is { } actors)
            conditions.Add($"actor IN ({string.Join(", ", actors.Select((actor, i) => Parameter(command, $"$actor{i}", actor)))})");
        if (filter.Method is { } method)
            conditions.Add($"method = {Parameter(command, "$method", method)}");
        if (filter.Status is { } status)
            conditions.Add($"status = {Parameter(command, "$status", status)}");
        if (filter.Path is { } part)
            conditions.Add($"instr(path, {Parameter(command, "$path", part)}) > 0");
        if (filter.Tenant is { } tenant)
            conditions.Add($"tenant_id = {Parameter(command, "$tenant", tenant)}");
        command.CommandText = $"""
            SELECT id, actor, method, path, status, duration_ms, request_id, remote_addr, user_agent, tenant_id, created_at FROM admin_audit_logs
            {(conditions.Count == 0 ? "" : "WHERE " + string.Join(" AND ", conditions))} ORDER BY id DESC LIMIT {Parameter(command, "$limit", filter.Limit)}
            """;
        using SqliteDataReader found = command.ExecuteReader();
        List<AdminAuditRecord> rows = [];
        while (found.Read())
            rows.Add(Record(found));
        return rows;
    }

    private static string Parameter(SqliteCommand command, string name, object value)
    {
        command.Parameters.AddWithValue(name, value);
        return name;
    }

    private static AdminAuditRecord Record(SqliteDataReader found) => new()
    {
        Id = found.GetInt64(0),
        Actor = found.GetString(1),
        Method = found.GetString(2),
        Path = found.GetString(3),
        Status = found.GetInt32(4),
        DurationMs = found.GetInt64(5),
        RequestId = found.GetString(6),
        RemoteAddr = found.GetString(7),
        UserAgent = found.GetString(8),
        TenantId = found.GetString(9),
        CreatedAt = StoredTime.Parse(found.GetString(10)),
    };
}
