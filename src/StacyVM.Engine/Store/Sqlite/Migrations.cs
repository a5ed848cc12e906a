using Microsoft.Data.Sqlite;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The schema, as numbered steps. A step that has been released never changes.</summary>
internal static class Migrations
{
    /// <summary>Marks a database file as ours: "svm1".</summary>
    public const int ApplicationId = 0x73766D31;

    private static readonly string[] Steps =
    [
        """
        CREATE TABLE sandboxes (
            id TEXT NOT NULL PRIMARY KEY,
            state TEXT NOT NULL,
            provider TEXT NOT NULL,
            image TEXT NOT NULL,
            memory_mb INTEGER NOT NULL,
            vcpus INTEGER NOT NULL,
            disk_mb INTEGER NOT NULL,
            metadata TEXT NOT NULL DEFAULT '{}',
            template TEXT NOT NULL DEFAULT '',
            owner_id TEXT NOT NULL DEFAULT '',
            vm_id TEXT NOT NULL DEFAULT '',
            worker_id TEXT NOT NULL DEFAULT 'local',
            tenant_id TEXT NOT NULL DEFAULT '',
            handle TEXT,
            handle_version INTEGER,
            reason TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            expires_at TEXT NOT NULL,
            updated_at TEXT NOT NULL);
        CREATE INDEX sandboxes_living ON sandboxes (id) WHERE state <> 'destroyed';
        CREATE INDEX sandboxes_destroyed ON sandboxes (updated_at) WHERE state = 'destroyed';
        CREATE TABLE exec_logs (
            id INTEGER PRIMARY KEY,
            sandbox_id TEXT NOT NULL,
            command TEXT NOT NULL,
            exit_code INTEGER NOT NULL,
            stdout TEXT NOT NULL,
            stderr TEXT NOT NULL,
            duration TEXT NOT NULL,
            created_at TEXT NOT NULL);
        CREATE INDEX exec_logs_sandbox ON exec_logs (sandbox_id, id);
        CREATE TABLE operation_audit_logs (
            id INTEGER PRIMARY KEY,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            sandbox_id TEXT NOT NULL,
            resource TEXT NOT NULL,
            provider TEXT NOT NULL,
            status TEXT NOT NULL,
            detail TEXT NOT NULL,
            tenant_id TEXT NOT NULL,
            created_at TEXT NOT NULL);
        CREATE INDEX operation_audit_logs_tenant ON operation_audit_logs (tenant_id, id);
        """,
    ];

    /// <summary>The newest version this program knows.</summary>
    public static int Latest => Steps.Length;

    /// <summary>Version of an open database; 0 when nothing has been applied.</summary>
    public static int VersionOf(SqliteConnection connection)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'schema_migrations'";
        if ((long)command.ExecuteScalar()! == 0)
            return 0;
        command.CommandText = "SELECT coalesce(max(version), 0) FROM schema_migrations";
        return checked((int)(long)command.ExecuteScalar()!);
    }

    /// <summary>Applies what is missing, each step in one transaction together with its record.</summary>
    public static void Apply(SqliteConnection connection, DateTime now)
    {
        for (int version = VersionOf(connection) + 1; version <= Latest; version++)
        {
            using SqliteTransaction transaction = connection.BeginTransaction(deferred: false);
            using SqliteCommand command = connection.CreateCommand();
            command.Transaction = transaction;
            command.CommandText = "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER NOT NULL PRIMARY KEY, applied_at TEXT NOT NULL)";
            command.ExecuteNonQuery();
            command.CommandText = Steps[version - 1];
            command.ExecuteNonQuery();
            command.CommandText = "INSERT INTO schema_migrations (version, applied_at) VALUES ($version, $at)";
            command.Parameters.AddWithValue("$version", version);
            command.Parameters.AddWithValue("$at", StoredTime.Format(now));
            command.ExecuteNonQuery();
            transaction.Commit();
        }
    }
}
