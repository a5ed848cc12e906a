using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using SQLitePCL;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol.Rest;
using Xunit;

namespace StacyVM.Tests.Store;

/// <summary>Old rows cost nothing: counted in steps of the database and not in seconds.</summary>
public sealed class StoreAtScaleTests : IDisposable
{
    private const int OldRows = 100_000;
    private const int Living = 10;

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("stacyvm-scale-");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 8, 0, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task Reading_and_writing_sandboxes_take_as_many_steps_with_old_rows_as_without()
    {
        string small = await MakeAsync("small", 0), large = await MakeAsync("large", OldRows);

        Assert.InRange(Steps(large, RecordStatements.LoadSql), 1, Steps(small, RecordStatements.LoadSql) * 11 / 10);
        Assert.InRange(Steps(large, RecordStatements.SaveSql, "sb-new"), 1, Steps(small, RecordStatements.SaveSql, "sb-new") * 11 / 10);
        Assert.InRange(Steps(large, RecordStatements.SaveSql, "sb-living-1"), 1, Steps(small, RecordStatements.SaveSql, "sb-living-1") * 11 / 10);
        await using SqliteStore store = Open(large);
        Assert.Equal(Living, (await store.LoadAsync(default)).Count);
    }

    [Fact]
    public async Task A_trim_that_finds_nothing_looks_at_one_chunk_at_most()
    {
        string large = await MakeAsync("large", OldRows);

        foreach (string sql in TrimStatements.ByAge)
            Assert.InRange(Steps(large, sql, "2029-12-01"), 1, 30 * TrimStatements.Chunk);
        foreach (string sql in TrimStatements.ByCount)
            Assert.InRange(Steps(large, sql, 10L * OldRows), 1, 30 * TrimStatements.Chunk);
    }

    [Fact]
    public async Task Retention_works_beside_writes_which_wait_for_one_chunk_at_most()
    {
        string path = await MakeAsync("large", OldRows);
        await using SqliteStore store = Open(path, new StoreLimits { MaxRows = 1_000, Retention = TimeSpan.FromDays(1) });

        Task trim = store.TrimAsync(_time.GetUtcNow().UtcDateTime);
        int written = 0;
        do
        {
            await store.SaveAsync(Record($"sb-during-{written++}", SandboxStates.Running));
            store.Append(Audit("during"));
        }
        while (!trim.IsCompleted && written < 10_000);
        await trim;
        await store.FlushAsync();

        // Far more writes than one went through while hundreds of chunks were deleted.
        Assert.True(written > 20, $"only {written} writes got through");
        Assert.Equal(Living + written, (await store.LoadAsync(default)).Count);
        Assert.Equal(0, Count(path, "SELECT count(*) FROM sandboxes WHERE state = 'destroyed'"));
        Assert.Equal(0, Count(path, "SELECT count(*) FROM exec_logs"));
        Assert.Equal(0, Count(path, "SELECT count(*) FROM operation_audit_logs WHERE action <> 'during'"));
    }

    [Fact]
    public async Task The_number_of_rows_is_bounded_whatever_their_age_and_for_ever_is_for_ever()
    {
        string path = await MakeAsync("large", 5_000);
        await using SqliteStore store = Open(path, new StoreLimits { MaxRows = 1_500, Retention = TimeSpan.Zero });

        await store.TrimAsync(_time.GetUtcNow().UtcDateTime.AddYears(10));

        Assert.Equal(1_500, Count(path, "SELECT count(*) FROM exec_logs"));
        Assert.Equal(1_500, Count(path, "SELECT count(*) FROM operation_audit_logs"));
        Assert.InRange(Count(path, "SELECT count(*) FROM sandboxes WHERE state = 'destroyed'"), 1_400, 1_500);
        Assert.Equal(Living, (await store.LoadAsync(default)).Count);
    }

    [Fact]
    public async Task Audit_and_outputs_go_into_few_transactions()
    {
        await using SqliteStore store = Open(Path.Combine(_directory.FullName, "batch.db"), new StoreLimits { ExecLogs = true });
        for (int i = 0; i < 4_000; i++)
        {
            store.Append(Audit("exec"));
            store.Append(new ExecLogRow("sb-1", "true", 0, "", "", "1ms", _time.GetUtcNow().UtcDateTime));
        }
        await store.FlushAsync();
        Assert.InRange(store.Commits, 1, 40);
        Assert.Equal(0, store.DroppedRows);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>A file with ten living sandboxes and as many old rows of each kind.</summary>
    private async Task<string> MakeAsync(string name, int rows)
    {
        string path = Path.Combine(_directory.FullName, name + ".db");
        await using (SqliteStore store = Open(path))
        {
            for (int i = 0; i < Living; i++)
                await store.SaveAsync(Record($"sb-living-{i}", SandboxStates.Running));
        }
        string numbers = $"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})";
        const string Old = "'2030-01-02T00:00:00.0000000Z'";
        using SqliteConnection connection = DatabaseFile.OpenForReading(path);
        foreach (string sql in rows == 0 ? [] : (string[])
        [
            $"""
            {numbers} INSERT INTO sandboxes (id, state, provider, image, memory_mb, vcpus, disk_mb, created_at, expires_at, updated_at)
            SELECT printf('sb-%016x', i), 'destroyed', 'scripted', 'host', 64, 1, 64, {Old}, {Old}, {Old} FROM n
            """,
            $"{numbers} INSERT INTO exec_logs (sandbox_id, command, exit_code, stdout, stderr, duration, created_at) SELECT 'sb', 'true', 0, '', '', '1ms', {Old} FROM n",
            $"""
            {numbers} INSERT INTO operation_audit_logs (actor, action, sandbox_id, resource, provider, status, detail, tenant_id, created_at)
            SELECT 'a', 'exec', 'sb', 'true', 'scripted', 'success', '', '', {Old} FROM n
            """,
        ])
        {
            using SqliteCommand command = connection.CreateCommand();
            command.CommandText = sql;
            command.ExecuteNonQuery();
        }
        return path;
    }

    /// <summary>Steps that the database's machine takes for a statement, which is undone.</summary>
    private static int Steps(string path, string sql, object? first = null)
    {
        using SqliteConnection connection = DatabaseFile.OpenForReading(path);
        using SqliteTransaction transaction = connection.BeginTransaction();
        Assert.Equal(raw.SQLITE_OK, raw.sqlite3_prepare_v2(connection.Handle, sql, out sqlite3_stmt statement));
        using (statement)
        {
            for (int i = 1; i <= raw.sqlite3_bind_parameter_count(statement); i++)
            {
                if (i == 1 && first is long number)
                    raw.sqlite3_bind_int64(statement, i, number);
                else
                    raw.sqlite3_bind_text(statement, i, i == 1 && first is string text ? text : "1");
            }
            int outcome;
            do
                outcome = raw.sqlite3_step(statement);
            while (outcome == raw.SQLITE_ROW);
            Assert.Equal(raw.SQLITE_DONE, outcome);
            return raw.sqlite3_stmt_status(statement, raw.SQLITE_STMTSTATUS_VM_STEP, 0);
        }
    }

    private static long Count(string path, string sql)
    {
        using SqliteConnection connection = DatabaseFile.OpenForReading(path);
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }

    private SqliteStore Open(string path, StoreLimits? limits = null) => SqliteStore.Open(path, limits ?? new StoreLimits(), NullLogger.Instance, _time);

    private AuditRow Audit(string action) => new("tester", action, "sb-1", "", "scripted", "success", "", "", _time.GetUtcNow().UtcDateTime);

    private SandboxRecord Record(string id, string state) => new()
    {
        Id = id,
        State = state,
        Provider = "scripted",
        Image = "host",
        MemoryMb = 64,
        Vcpus = 1,
        DiskMb = 64,
        CreatedAt = _time.GetUtcNow().UtcDateTime,
        ExpiresAt = _time.GetUtcNow().UtcDateTime.AddHours(1),
        UpdatedAt = _time.GetUtcNow().UtcDateTime,
    };
}
