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
        """
        CREATE TABLE owner_quotas (
            owner_id TEXT NOT NULL PRIMARY KEY,
            max_sandboxes INTEGER NOT NULL,
            max_ttl_seconds INTEGER NOT NULL,
            max_exec_timeout_seconds INTEGER NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL);
        """,
        """
        CREATE TABLE templates (
            name TEXT NOT NULL PRIMARY KEY,
            version INTEGER NOT NULL,
            image TEXT NOT NULL,
            description TEXT NOT NULL DEFAULT '',
            provider TEXT NOT NULL DEFAULT '',
            setup TEXT NOT NULL DEFAULT '[]',
            allowed_hosts TEXT NOT NULL DEFAULT '[]',
            memory_mb INTEGER NOT NULL,
            cpu_cores INTEGER NOT NULL,
            ttl_seconds INTEGER NOT NULL,
            env TEXT NOT NULL DEFAULT '{}',
            files TEXT NOT NULL DEFAULT '{}',
            secrets TEXT NOT NULL DEFAULT '[]',
            metadata TEXT NOT NULL DEFAULT '{}',
            pool_size INTEGER NOT NULL DEFAULT 0,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL);
        """,
        """
        CREATE TABLE environment_specs (
            id TEXT NOT NULL PRIMARY KEY,
            owner_id TEXT NOT NULL,
            name TEXT NOT NULL,
            base_image TEXT NOT NULL,
            python_packages TEXT NOT NULL DEFAULT '[]',
            apt_packages TEXT NOT NULL DEFAULT '[]',
            python_version TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (owner_id, name));
        CREATE TABLE environment_builds (
            id TEXT NOT NULL PRIMARY KEY,
            spec_id TEXT NOT NULL,
            status TEXT NOT NULL,
            current_step TEXT NOT NULL,
            log_blob TEXT NOT NULL DEFAULT '',
            image_size_bytes INTEGER NOT NULL DEFAULT 0,
            digest_local TEXT NOT NULL DEFAULT '',
            error TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            finished_at TEXT,
            updated_at TEXT NOT NULL);
        CREATE INDEX environment_builds_spec ON environment_builds (spec_id, created_at);
        CREATE INDEX environment_builds_unfinished ON environment_builds (created_at) WHERE status IN ('queued', 'building');
        CREATE TABLE environment_artifacts (
            id INTEGER PRIMARY KEY,
            build_id TEXT NOT NULL,
            target TEXT NOT NULL,
            image_ref TEXT NOT NULL,
            digest TEXT NOT NULL DEFAULT '',
            status TEXT NOT NULL,
            error TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (build_id, target));
        CREATE TABLE registry_connections (
            id TEXT NOT NULL PRIMARY KEY,
            owner_id TEXT NOT NULL,
            provider TEXT NOT NULL,
            username TEXT NOT NULL,
            secret_ref TEXT NOT NULL,
            is_default INTEGER NOT NULL DEFAULT 0,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL,
            UNIQUE (owner_id, provider, username));
        """,
        """
        CREATE TABLE admin_audit_logs (
            id INTEGER PRIMARY KEY,
            actor TEXT NOT NULL,
            method TEXT NOT NULL,
            path TEXT NOT NULL,
            status INTEGER NOT NULL,
            duration_ms INTEGER NOT NULL,
            request_id TEXT NOT NULL,
            remote_addr TEXT NOT NULL,
            user_agent TEXT NOT NULL,
            tenant_id TEXT NOT NULL,
            created_at TEXT NOT NULL);
        CREATE INDEX admin_audit_logs_age ON admin_audit_logs (created_at);
        CREATE INDEX admin_audit_logs_refused ON admin_audit_logs (id) WHERE status IN (401, 403, 421, 429);
        CREATE TABLE workers (
            id TEXT NOT NULL PRIMARY KEY,
            hostname TEXT NOT NULL,
            status TEXT NOT NULL,
            providers TEXT NOT NULL DEFAULT '[]',
            capabilities TEXT NOT NULL DEFAULT '[]',
            capacity TEXT NOT NULL DEFAULT '{}',
            last_heartbeat TEXT NOT NULL,
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL);
        """,
        """
        ALTER TABLE sandboxes ADD COLUMN environment_sealed TEXT NOT NULL DEFAULT '';
        """,
        """
        ALTER TABLE sandboxes ADD COLUMN parent_sandbox TEXT NOT NULL DEFAULT '';
        ALTER TABLE sandboxes ADD COLUMN parent_checkpoint TEXT NOT NULL DEFAULT '';
        CREATE TABLE checkpoints (
            id TEXT NOT NULL PRIMARY KEY,
            name TEXT NOT NULL,
            state TEXT NOT NULL,
            provider TEXT NOT NULL,
            content TEXT NOT NULL,
            image TEXT NOT NULL,
            memory_mb INTEGER NOT NULL,
            vcpus INTEGER NOT NULL,
            metadata TEXT NOT NULL DEFAULT '{}',
            owner_id TEXT NOT NULL DEFAULT '',
            tenant_id TEXT NOT NULL DEFAULT '',
            parent_sandbox TEXT NOT NULL,
            parent_checkpoint TEXT NOT NULL DEFAULT '',
            environment_sealed TEXT NOT NULL DEFAULT '',
            size_bytes INTEGER NOT NULL DEFAULT 0,
            reason TEXT NOT NULL DEFAULT '',
            created_at TEXT NOT NULL,
            updated_at TEXT NOT NULL);
        CREATE UNIQUE INDEX checkpoints_name ON checkpoints (owner_id, tenant_id, name) WHERE name <> '' AND state <> 'deleting';
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
