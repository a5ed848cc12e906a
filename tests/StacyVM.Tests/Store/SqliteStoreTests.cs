using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;

namespace StacyVM.Tests.Store;

public sealed class SqliteStoreTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-test-").FullName;
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));

    private string DatabasePath => Path.Combine(_directory, "stacyvm.db");

    private DateTime Now => _time.GetUtcNow().UtcDateTime;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_record_comes_back_as_it_was_written()
    {
        SandboxRecord record = Record("sb-1") with
        {
            Metadata = new Dictionary<string, string> { ["a"] = "ü\"\n" },
            OwnerId = "ada",
            TenantId = "acme",
            Handle = new SandboxHandle(3, "{}"),
            Reason = "none",
        };
        await using (SqliteStore store = Open())
            await store.SaveAsync(record);

        await using SqliteStore again = Open();
        SandboxRecord read = Assert.Single(await again.LoadAsync(default));

        Assert.Equal(record.Metadata, read.Metadata);
        Assert.Equal(record, read with { Metadata = record.Metadata });
    }

    [Fact]
    public async Task Later_writes_win_and_destroyed_records_are_not_loaded()
    {
        await using SqliteStore store = Open();
        _ = store.SaveAsync(Record("sb-1"));
        _ = store.SaveAsync(Record("sb-1") with { State = SandboxStates.Unhealthy });
        await store.SaveAsync(Record("sb-2") with { State = SandboxStates.Destroyed });

        Assert.Equal(("sb-1", SandboxStates.Unhealthy), Assert.Single((await store.LoadAsync(default)).Select(record => (record.Id, record.State))));
    }

    [Fact]
    public async Task Admin_audit_rows_leave_with_their_age_and_refused_ones_also_by_number()
    {
        await using SqliteStore store = Open(out _, new StoreLimits { AdminAuditRetention = TimeSpan.FromHours(1), MaxRows = 5 });
        for (int i = 0; i < 2_500; i++)
            store.Append(AdminRow(Now.AddHours(-2), 200));
        for (int i = 0; i < 20; i++)
            store.Append(AdminRow(Now, i % 2 == 0 ? 200 : 401));
        await store.TrimAsync(Now);
        IReadOnlyList<AdminAuditRecord> left = await store.AdminAudit.ReadAsync(new AdminAuditFilter(500), default);
        Assert.Equal((10, 5), (left.Count(row => row.Status == 200), left.Count(row => row.Status == 401)));
        Assert.Equal(left.Max(row => row.Id), left[0].Id);
    }

    [Fact]
    public async Task Without_a_retention_admin_audit_rows_stay()
    {
        await using SqliteStore store = Open(out _, new StoreLimits { MaxRows = 5 });
        for (int i = 0; i < 20; i++)
            store.Append(AdminRow(Now.AddYears(-5), 200));
        await store.TrimAsync(Now);
        Assert.Equal(20, (await store.AdminAudit.ReadAsync(new AdminAuditFilter(500), default)).Count);
    }

    private static AdminAuditRow AdminRow(DateTime at, int status) => new(at) { Actor = "admin", Method = "GET", Path = "/", Status = status };

    [Fact]
    public async Task Migrations_run_once()
    {
        await Open().DisposeAsync();
        _time.Advance(TimeSpan.FromDays(1));
        await Open().DisposeAsync();

        Assert.Equal(
            Enumerable.Range(1, Migrations.Latest).Select(version => ((long)version, "2030-01-01T00:00:00.0000000Z")),
            Query("SELECT version, applied_at FROM schema_migrations ORDER BY version", row => (row.GetInt64(0), row.GetString(1))));
        Assert.Equal([Migrations.ApplicationId], Query("PRAGMA application_id", row => row.GetInt32(0)));
        Assert.Equal(["wal"], Query("PRAGMA journal_mode", row => row.GetString(0)));
    }

    [Fact]
    public async Task A_database_of_another_program_is_left_as_it_is()
    {
        Execute("CREATE TABLE sandboxes (id TEXT)");
        await RefusedUntouchedAsync("another program");
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_left_as_it_is()
    {
        await File.WriteAllTextAsync(DatabasePath, new string('x', 5_000));
        await RefusedUntouchedAsync("is not a database");
    }

    [Fact]
    public async Task A_newer_schema_is_left_as_it_is()
    {
        await Open().DisposeAsync();
        Execute("INSERT INTO schema_migrations VALUES (99, 'then')");
        await RefusedUntouchedAsync("newer version");
    }

    [Fact]
    public async Task A_damaged_file_is_left_as_it_is()
    {
        await using (SqliteStore store = Open())
        {
            for (int i = 0; i < 300; i++)
                _ = store.SaveAsync(Record($"sb-{i}"));
            await store.FlushAsync();
        }
        byte[] bytes = await File.ReadAllBytesAsync(DatabasePath);
        Random.Shared.NextBytes(bytes.AsSpan(4_096, 20_000));
        await File.WriteAllBytesAsync(DatabasePath, bytes);

        await RefusedUntouchedAsync("is damaged");
    }

    [Theory]
    [InlineData("/proc/no/stacyvm.db")]
    [InlineData("/dev/null/stacyvm.db")]
    public void A_place_that_cannot_be_written_is_named_with_what_to_do(string path)
    {
        StacyVMException problem = Assert.Throws<StacyVMException>(() => SqliteStore.Open(path, new StoreLimits(), NullLogger.Instance, _time));

        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        Assert.Contains(path, problem.Message);
        Assert.Contains("database.path", problem.Message);
    }

    [Fact]
    public async Task A_full_disk_fails_the_write_by_its_name_and_not_the_store()
    {
        await using SqliteStore store = Open(out StoreWriter writer);
        await writer.RunAsync(static connection => Execute(connection, "PRAGMA max_page_count = 20"));

        SandboxRecord big = Record("sb-big") with { Metadata = new Dictionary<string, string> { ["x"] = new string('x', 200_000) } };
        StacyVMException problem = await Assert.ThrowsAsync<StacyVMException>(() => store.SaveAsync(big));
        await store.SaveAsync(Record("sb-small"));

        Assert.Equal(ProblemKind.StorageFull, problem.Kind);
        Assert.Contains(DatabasePath, problem.Message);
        Assert.Equal("sb-small", Assert.Single(await store.LoadAsync(default)).Id);
    }

    [Fact]
    public async Task Concurrent_writes_share_commits()
    {
        await using SqliteStore store = Open();

        await Task.WhenAll(Enumerable.Range(0, 64).Select(lane => Task.Run(async () =>
        {
            for (int i = 0; i < 50; i++)
                await store.SaveAsync(Record($"sb-{lane}-{i}"));
        })));

        Assert.Equal(3_200, (await store.LoadAsync(default)).Count);
        Assert.True(store.Commits < 1_600, $"{store.Commits} commits for 3,200 writes");
    }

    [Fact]
    public async Task Log_rows_are_written_behind_and_flushed_at_the_end()
    {
        await using (SqliteStore store = Open())
        {
            for (int i = 0; i < 100; i++)
                store.Append(Audit($"a{i}"));
            store.Append(new ExecLogRow("sb-1", "ls", 0, "out", "err", "1ms", Now));
        }

        await using SqliteStore again = Open();
        Assert.Equal("a99", (await again.ReadAuditAsync(null, 500, default))[0].Action);
        Assert.Equal(100, (await again.ReadAuditAsync(null, 500, default)).Count);
        Assert.Equal("out", Assert.Single(await again.ReadExecLogsAsync("sb-1", 10, default)).Stdout);
    }

    [Fact]
    public async Task Log_rows_beyond_the_queue_push_out_the_oldest_and_are_counted()
    {
        var busy = new TaskCompletionSource();
        await using SqliteStore store = Open(out StoreWriter writer, new StoreLimits { MaxWaitingRows = 10 });
        Task blocked = writer.RunAsync(_ => busy.Task.Wait());
        for (int i = 0; i < 25; i++)
            store.Append(Audit($"a{i}"));
        busy.SetResult();
        await blocked;
        await store.FlushAsync();

        IReadOnlyList<AuditRow> rows = await store.ReadAuditAsync(null, 500, default);
        Assert.Equal(25, rows.Count + store.DroppedRows);
        Assert.True(store.DroppedRows > 0);
        Assert.Equal("a24", rows[0].Action);
    }

    [Fact]
    public async Task Audit_rows_are_read_by_tenant()
    {
        await using SqliteStore store = Open();
        store.Append(Audit("mine") with { TenantId = "acme" });
        store.Append(Audit("theirs") with { TenantId = "other" });
        await store.FlushAsync();

        Assert.Equal("mine", Assert.Single(await store.ReadAuditAsync("acme", 10, default)).Action);
    }

    [Fact]
    public async Task Trim_deletes_what_is_old_and_what_is_too_much_and_nothing_that_lives()
    {
        await using SqliteStore store = Open(out _, new StoreLimits { MaxRows = 5 });
        await store.SaveAsync(Record("sb-alive"));
        await store.SaveAsync(Record("sb-old") with { State = SandboxStates.Destroyed });
        store.Append(Audit("old"));
        _time.Advance(TimeSpan.FromDays(8));
        await store.SaveAsync(Record("sb-new") with { State = SandboxStates.Destroyed });
        for (int i = 0; i < 12; i++)
            store.Append(Audit($"new{i}"));

        await store.TrimAsync(Now);

        Assert.Equal(["sb-alive", "sb-new"], Query("SELECT id FROM sandboxes ORDER BY id", row => row.GetString(0)));
        Assert.Equal(["new11", "new10", "new9", "new8", "new7"], (await store.ReadAuditAsync(null, 500, default)).Select(row => row.Action));
    }

    private async Task RefusedUntouchedAsync(string because)
    {
        byte[] before = await File.ReadAllBytesAsync(DatabasePath);

        StacyVMException problem = Assert.Throws<StacyVMException>(() => Open());

        Assert.Equal(ProblemKind.Unavailable, problem.Kind);
        Assert.Contains(DatabasePath, problem.Message);
        Assert.Contains(because, problem.Message);
        Assert.Equal(before, await File.ReadAllBytesAsync(DatabasePath));
    }

    private SqliteStore Open() => Open(out _);

    private SqliteStore Open(out StoreWriter writer, StoreLimits? limits = null)
    {
        SqliteStore store = SqliteStore.Open(DatabasePath, limits ?? new StoreLimits(), NullLogger.Instance, _time);
        writer = store.Writer;
        return store;
    }

    private SandboxRecord Record(string id) => new()
    {
        Id = id,
        State = SandboxStates.Running,
        Provider = "scripted",
        Image = "host",
        MemoryMb = 64,
        Vcpus = 1,
        DiskMb = 64,
        CreatedAt = Now,
        ExpiresAt = Now.AddMinutes(30),
        UpdatedAt = Now,
    };

    private AuditRow Audit(string action) => new("tester", action, "sb-1", "", "scripted", "success", "", "", Now);

    private List<T> Query<T>(string sql, Func<SqliteDataReader, T> read)
    {
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        using SqliteDataReader reader = command.ExecuteReader();
        List<T> rows = [];
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    private void Execute(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={DatabasePath};Pooling=False");
        connection.Open();
        Execute(connection, sql);
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
