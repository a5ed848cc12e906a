using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Environments;
using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Templates;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>The store in one SQLite file: WAL, one writer that commits in groups, readers beside it.</summary>
internal sealed class SqliteStore : IStore
{
    private readonly StoreReader _reader;
    private readonly StoreLimits _limits;
    private readonly StoreWriter _writer;

    private SqliteStore(string path, StoreLimits limits, StoreWriter writer)
    {
        _reader = new StoreReader(path);
        _limits = limits;
        _writer = writer;
        Quotas = new OwnerQuotaRows(_reader, writer);
        Templates = new TemplateRows(_reader, writer);
        Checkpoints = new CheckpointRows(_reader, writer);
        Environments = new EnvironmentRows(_reader, writer);
        RegistryConnections = new RegistryConnectionRows(_reader, writer);
        Workers = new WorkerRows(_reader, writer);
        AdminAudit = new SqliteAdminAudit(_reader, writer);
    }

    /// <summary>Opens or makes the file, brings its schema up to date, and starts the writer.</summary>
    /// <exception cref="Protocol.Problems.StacyVMException">For a file that is foreign, newer, damaged or out of reach; it is left as it is.</exception>
    public static SqliteStore Open(string path, StoreLimits limits, ILogger log, TimeProvider time)
    {
        SqliteConnection connection = DatabaseFile.OpenForWriting(path, time.GetUtcNow().UtcDateTime);
        return new SqliteStore(path, limits, new StoreWriter(connection, path, limits.MaxWaitingRows, log));
    }

    public IOwnerQuotaStore Quotas { get; }

    public ITemplateStore Templates { get; }

    public ICheckpointStore Checkpoints { get; }

    public IEnvironmentStore Environments { get; }

    public IRegistryConnectionStore RegistryConnections { get; }

    public long DroppedRows => _writer.Dropped;

    public StoreHealth Health => _writer.Health;

    public IWorkerStore Workers { get; }

    public IAdminAuditStore AdminAudit { get; }

    /// <summary>The writing thread.</summary>
    internal StoreWriter Writer => _writer;

    /// <summary>Transactions so far; tests hold it against the number of writes.</summary>
    public long Commits => _writer.Commits;

    public Task<IReadOnlyList<SandboxRecord>> LoadAsync(CancellationToken cancellation) =>
        _reader.ReadAsync<SandboxRecord>(RecordStatements.LoadLiving, cancellation);

    public Task SaveAsync(SandboxRecord record) => _writer.SaveAsync(record);

    public void Append(LogRow row) => _writer.Append(row);

    public Task FlushAsync() => _writer.RunAsync(static _ => { });

    public async Task TrimAsync(DateTime now)
    {
        await AdminAudit.TrimAsync(_limits.AdminAuditRetention > TimeSpan.Zero ? now - _limits.AdminAuditRetention : null, _limits.MaxRows);
        if (_limits.Retention > TimeSpan.Zero)
        {
            string before = StoredTime.Format(now - _limits.Retention);
            foreach (string sql in TrimStatements.ByAge)
                await DeleteAsync(sql, "$before", before);
        }
        foreach (string sql in TrimStatements.ByCount)
            await DeleteAsync(sql, "$most", _limits.MaxRows);
    }

    public Task<IReadOnlyList<AuditRow>> ReadAuditAsync(string? tenant, int limit, CancellationToken cancellation) =>
        _reader.ReadAsync<AuditRow>(connection => LogStatements.ReadAudit(connection, tenant, limit), cancellation);

    public Task<IReadOnlyList<ExecLogRow>> ReadExecLogsAsync(string sandboxId, int limit, CancellationToken cancellation) =>
        _reader.ReadAsync<ExecLogRow>(connection => LogStatements.ReadExec(connection, sandboxId, limit), cancellation);

    public ValueTask DisposeAsync() => new(Task.Run(_writer.Dispose));

    /// <summary>Deletes in chunks, so that records wait for one chunk at most.</summary>
    private async Task DeleteAsync(string sql, string parameter, object bound)
    {
        int deleted;
        do
        {
            deleted = 0;
            await _writer.RunAsync(connection =>
            {
                using SqliteCommand command = connection.CreateCommand();
                command.CommandText = sql;
                command.Parameters.AddWithValue(parameter, bound);
                deleted = command.ExecuteNonQuery();
            });
        }
        while (deleted == TrimStatements.Chunk);
    }
}
