using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Store;

/// <summary>Backup, restore and the rehearsal of an upgrade.</summary>
public sealed class DatabaseCopyTests : IDisposable
{
    private static readonly DateTime Now = new(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-copy-").FullName;

    private string Database => Path.Combine(_directory, "stacyvm.db");

    private string Backup => Path.Combine(_directory, "backups", "one.db");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task A_backup_is_whole_and_private_while_rows_are_written()
    {
        await using SqliteStore store = Open();
        await AddAsync(store, rows: 10);
        using var stop = new CancellationTokenSource();
        Task writing = Task.Run(() =>
        {
            for (int at = 0; !stop.IsCancellationRequested; at++)
                store.Append(new AuditRow("ada", "exec", $"sb-{at}", new string('x', 200), "mock", "success", "", "", Now));
        });

        for (int round = 0; round < 5; round++)
            DatabaseBackup.Write(Database, Backup, replace: round > 0);
        await stop.CancelAsync();
        await writing;

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Backup));
        Assert.Equal(Migrations.Latest, DatabaseInspection.Of(Backup).Version);
        Assert.True(Count(Backup, "operation_audit_logs") >= 10);
        Assert.Equal([Backup], Directory.EnumerateFiles(Path.GetDirectoryName(Backup)!));
    }

    [Fact]
    public async Task An_existing_file_is_replaced_only_by_force()
    {
        await Open().DisposeAsync();
        Directory.CreateDirectory(Path.GetDirectoryName(Backup)!);
        await File.WriteAllTextAsync(Backup, "dear diary");

        Assert.Equal(ProblemKind.Conflict, Assert.Throws<StacyVMException>(() => DatabaseBackup.Write(Database, Backup, replace: false)).Kind);
        Assert.Equal("dear diary", await File.ReadAllTextAsync(Backup));

        DatabaseBackup.Write(Database, Backup, replace: true);
        Assert.Equal(0, DatabaseInspection.Of(Backup).Pending);
    }

    [Fact]
    public async Task What_is_not_our_database_is_neither_backed_up_nor_restored()
    {
        await File.WriteAllTextAsync(Database, "this is a diary and not a database " + new string('.', 500));

        Assert.Contains("not a database", Assert.Throws<StacyVMException>(() => DatabaseBackup.Write(Database, Backup, replace: false)).Message);
        Assert.Contains("not a database", Assert.Throws<StacyVMException>(() => DatabaseRestore.Run(Database, Backup, Now)).Message);
        Assert.Equal(ProblemKind.NotFound, Assert.Throws<StacyVMException>(() => DatabaseBackup.Write(Backup, Database, replace: true)).Kind);
        Assert.Single(Directory.EnumerateFiles(_directory));
    }

    [Fact]
    public async Task A_restore_brings_back_the_rows_and_keeps_what_was_there()
    {
        await using (SqliteStore store = Open())
            await AddAsync(store, rows: 3);
        DatabaseBackup.Write(Database, Backup, replace: false);
        await using (SqliteStore store = Open())
            await AddAsync(store, rows: 4);
        // A log that was left by a killed server must not be replayed into the restored database.
        await File.WriteAllTextAsync(Database + "-wal", "left");

        string? safety = DatabaseRestore.Run(Backup, Database, Now);

        Assert.Equal(Database + ".pre-restore-20300101T000000Z", safety);
        Assert.Equal(3, Count(Database, "operation_audit_logs"));
        Assert.Equal(7, Count(safety!, "operation_audit_logs"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Database));
        Assert.False(File.Exists(Database + ".restoring"));
    }

    [Fact]
    public async Task A_damaged_database_is_put_aside_as_it_is()
    {
        await Open().DisposeAsync();
        DatabaseBackup.Write(Database, Backup, replace: false);
        byte[] bytes = await File.ReadAllBytesAsync(Database);
        bytes.AsSpan(4096, 4096).Fill(0xAA);
        await File.WriteAllBytesAsync(Database, bytes);

        string? safety = DatabaseRestore.Run(Backup, Database, Now);

        Assert.Equal(bytes, await File.ReadAllBytesAsync(safety!));
        Assert.Equal(0, DatabaseInspection.Of(Database).Pending);
    }

    [Fact]
    public async Task A_damaged_backup_changes_nothing()
    {
        await Open().DisposeAsync();
        DatabaseBackup.Write(Database, Backup, replace: false);
        byte[] before = await File.ReadAllBytesAsync(Database);
        byte[] bytes = await File.ReadAllBytesAsync(Backup);
        bytes.AsSpan(4096, 4096).Fill(0xAA);
        await File.WriteAllBytesAsync(Backup, bytes);

        Assert.Equal(ProblemKind.Unavailable, Assert.Throws<StacyVMException>(() => DatabaseRestore.Run(Backup, Database, Now)).Kind);
        Assert.Equal(before, await File.ReadAllBytesAsync(Database));
    }

    [Fact]
    public async Task A_database_that_a_process_has_open_is_not_replaced()
    {
        await Open().DisposeAsync();
        DatabaseBackup.Write(Database, Backup, replace: false);
        var start = new ProcessStartInfo("tail", ["-n", "0", "-f", Database]) { RedirectStandardOutput = true };
        using Process reader = Process.Start(start)!;
        try
        {
            while (Engine.Linux.OpenFiles.HolderOf(Database) is null)
                await Task.Delay(5, new CancellationTokenSource(TimeSpan.FromSeconds(20)).Token);

            StacyVMException refused = Assert.Throws<StacyVMException>(() => DatabaseRestore.Run(Backup, Database, Now));

            Assert.Equal(ProblemKind.Conflict, refused.Kind);
            Assert.Contains($"process {reader.Id}", refused.Message);
        }
        finally
        {
            reader.Kill();
            await reader.WaitForExitAsync();
        }
    }

    [Fact]
    public void A_rehearsal_migrates_a_copy_and_leaves_the_database_as_it_is()
    {
        WriteOld("PRAGMA user_version = 0");
        byte[] before = File.ReadAllBytes(Database);

        MigrationRehearsal rehearsal = MigrationRehearsal.Run(Database, _directory, Now);

        Assert.Equal((0, Migrations.Latest), (rehearsal.From, rehearsal.To));
        Assert.Equal(before, File.ReadAllBytes(Database));
        Assert.Equal([Database], Directory.EnumerateFiles(_directory));
    }

    [Fact]
    public void A_step_that_fails_is_found_before_the_upgrade()
    {
        WriteOld("CREATE TABLE sandboxes (id TEXT)");

        StacyVMException failure = Assert.Throws<StacyVMException>(() => MigrationRehearsal.Run(Database, _directory, Now));

        Assert.Contains("sandboxes", failure.Message);
        Assert.Equal([Database], Directory.EnumerateFiles(_directory));
    }

    private SqliteStore Open() => SqliteStore.Open(Database, new StoreLimits(), NullLogger<SqliteStore>.Instance, TimeProvider.System);

    private static async Task AddAsync(SqliteStore store, int rows)
    {
        for (int at = 0; at < rows; at++)
            store.Append(new AuditRow("ada", "exec", $"sb-{at}", "", "mock", "success", "", "", DateTime.UtcNow));
        await store.FlushAsync();
    }

    /// <summary>A database that was marked as ours and then got no schema, or another one.</summary>
    private void WriteOld(string sql)
    {
        using SqliteConnection connection = DatabaseFile.Connect(Database, SqliteOpenMode.ReadWriteCreate);
        DatabaseFile.Execute(connection, $"PRAGMA application_id = {Migrations.ApplicationId}");
        DatabaseFile.Execute(connection, sql);
    }

    private static long Count(string path, string table)
    {
        using SqliteConnection connection = DatabaseFile.Connect(path, SqliteOpenMode.ReadOnly);
        return (long)DatabaseFile.Scalar(connection, $"SELECT count(*) FROM {table}")!;
    }
}
