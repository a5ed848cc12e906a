using Microsoft.Data.Sqlite;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The prepared statements of log rows.</summary>
internal sealed class LogStatements : IDisposable
{
    private readonly SqliteCommand _exec;
    private readonly SqliteCommand _audit;
    private readonly SqliteCommand _admin;

    public LogStatements(SqliteConnection connection)
    {
        _exec = Prepare(connection, "exec_logs", ["sandbox_id", "command", "exit_code", "stdout", "stderr", "duration", "created_at"]);
        _audit = Prepare(connection, "operation_audit_logs", ["actor", "action", "sandbox_id", "resource", "provider", "status", "detail", "tenant_id", "created_at"]);
        _admin = Prepare(connection, "admin_audit_logs", ["actor", "method", "path", "status", "duration_ms", "request_id", "remote_addr", "user_agent", "tenant_id", "created_at"]);
    }

    /// <summary>Writes one row inside a transaction.</summary>
    public void Write(LogRow row, SqliteTransaction transaction)
    {
        (SqliteCommand command, object[] values) = row switch
        {
            ExecLogRow exec => (_exec, (object[])[exec.SandboxId, exec.Command, exec.ExitCode, exec.Stdout, exec.Stderr, exec.Duration, StoredTime.Format(exec.CreatedAt)]),
            AuditRow audit => (_audit, [audit.Actor, audit.Action, audit.SandboxId, audit.Resource, audit.Provider, audit.Status, audit.Detail, audit.TenantId, StoredTime.Format(audit.CreatedAt)]),
            AdminAuditRow admin => (_admin, [admin.Actor, admin.Method, admin.Path, admin.Status, admin.DurationMs, admin.RequestId, admin.RemoteAddr, admin.UserAgent, admin.TenantId, StoredTime.Format(admin.CreatedAt)]),
            _ => throw new ArgumentOutOfRangeException(nameof(row)),
        };
        command.Transaction = transaction;
        for (int i = 0; i < values.Length; i++)
            command.Parameters[i].Value = values[i];
        command.ExecuteNonQuery();
    }

    public static List<AuditRow> ReadAudit(SqliteConnection connection, string? tenant, int limit)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"""
            SELECT actor, action, sandbox_id, resource, provider, status, detail, tenant_id, created_at FROM operation_audit_logs
            {(tenant is null ? "" : "WHERE tenant_id = $tenant")} ORDER BY id DESC LIMIT $limit
            """;
        if (tenant is not null)
            command.Parameters.AddWithValue("$tenant", tenant);
        command.Parameters.AddWithValue("$limit", limit);
        using SqliteDataReader reader = command.ExecuteReader();
        List<AuditRow> rows = [];
        while (reader.Read())
        {
            rows.Add(new AuditRow(reader.GetString(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4),
                reader.GetString(5), reader.GetString(6), reader.GetString(7), StoredTime.Parse(reader.GetString(8))));
        }
        return rows;
    }

    public static List<ExecLogRow> ReadExec(SqliteConnection connection, string sandboxId, int limit)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = """
            SELECT sandbox_id, command, exit_code, stdout, stderr, duration, created_at FROM exec_logs
            WHERE sandbox_id = $id ORDER BY id DESC LIMIT $limit
            """;
        command.Parameters.AddWithValue("$id", sandboxId);
        command.Parameters.AddWithValue("$limit", limit);
        using SqliteDataReader reader = command.ExecuteReader();
        List<ExecLogRow> rows = [];
        while (reader.Read())
        {
            rows.Add(new ExecLogRow(reader.GetString(0), reader.GetString(1), reader.GetInt32(2), reader.GetString(3), reader.GetString(4),
                reader.GetString(5), StoredTime.Parse(reader.GetString(6))));
        }
        return rows;
    }

    private static SqliteCommand Prepare(SqliteConnection connection, string table, string[] columns)
    {
        SqliteCommand command = connection.CreateCommand();
        command.CommandText = $"INSERT INTO {table} ({string.Join(", ", columns)}) VALUES ({string.Join(", ", columns.Select(column => "$" + column))})";
        foreach (string column in columns)
            command.Parameters.Add(new SqliteParameter { ParameterName = "$" + column });
        // The statement is compiled at its first execution: Prepare wants the types of its values.
        return command;
    }

    public void Dispose()
    {
        _exec.Dispose();
        _audit.Dispose();
        _admin.Dispose();
    }
}
