using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Store.Sqlite;

/// <summary>
/// The one thread that writes. Whatever has been queued while the last transaction was committed goes into the next one, so that a
/// hundred spawns at once cost a few commits and not two hundred.
/// </summary>
internal sealed partial class StoreWriter : IDisposable
{
    private const int MaxRecordsACommit = 512;
    private const int MaxRowsACommit = 1_024;

    // Log rows alone wait this long for company; with a record they ride along.
    private static readonly TimeSpan RowDelay = TimeSpan.FromMilliseconds(250);

    private readonly object _sync = new();
    private readonly Queue<Write> _writes = new();
    private readonly Queue<LogRow> _rows = new();
    private readonly string _path;
    private readonly int _maxWaitingRows;
    private readonly ILogger _log;
    private readonly SqliteConnection _connection;
    private readonly RecordStatements _records;
    private readonly LogStatements _logs;
    private readonly Thread _thread;
    private volatile StoreHealth _health = new(TimeSpan.Zero, null);
    private long _dropped;
    private long _droppedReported;
    private bool _stopping;

    /// <param name="connection">Open, migrated; owned from now on.</param>
    /// <param name="path">For messages.</param>
    /// <param name="maxWaitingRows">Bound of the queue of log rows.</param>
    /// <param name="log">Where losses are told.</param>
    public StoreWriter(SqliteConnection connection, string path, int maxWaitingRows, ILogger log)
    {
        _connection = connection;
        _path = path;
        _maxWaitingRows = maxWaitingRows;
        _log = log;
        _records = new RecordStatements(connection);
        _logs = new LogStatements(connection);
        _thread = new Thread(Run) { IsBackground = true, Name = "store writer" };
        _thread.Start();
    }

    /// <summary>Log rows lost so far.</summary>
    public long Dropped => Interlocked.Read(ref _dropped);

    /// <summary>By the last transaction.</summary>
    public StoreHealth Health => _health;

    /// <summary>Transactions committed so far.</summary>
    public long Commits { get; private set; }

    /// <summary>Completes when the record is committed.</summary>
    public Task SaveAsync(SandboxRecord record) => Enqueue(new Write(record, null));

    /// <summary>Runs other work on the writer's connection, after everything queued before it, log rows included.</summary>
    public Task RunAsync(Action<SqliteConnection> work) => Enqueue(new Write(null, work));

    public void Append(LogRow row)
    {
        lock (_sync)
        {
            if (_stopping)
            {
                _dropped++;
                return;
            }
            if (_rows.Count >= _maxWaitingRows)
            {
                _rows.Dequeue();
                _dropped++;
            }
            _rows.Enqueue(row);
            // Only an empty queue's thread may be asleep without a deadline.
            if (_rows.Count == 1)
                Monitor.Pulse(_sync);
        }
    }

    /// <summary>Writes what is queued and ends the thread.</summary>
    public void Dispose()
    {
        lock (_sync)
        {
            if (_stopping)
                return;
            _stopping = true;
            Monitor.Pulse(_sync);
        }
        _thread.Join();
        _records.Dispose();
        _logs.Dispose();
        _connection.Dispose();
    }

    private Task Enqueue(Write write)
    {
        lock (_sync)
        {
            if (_stopping)
                return Task.FromException(new StacyVMException(ProblemKind.Unavailable, "the server is shutting down"));
            _writes.Enqueue(write);
            Monitor.Pulse(_sync);
        }
        return write.Done.Task;
    }

    private void Run()
    {
        List<Write> writes = [];
        List<LogRow> rows = [];
        while (Take(writes, rows))
        {
            Commit(writes, rows);
            writes.Clear();
            rows.Clear();
        }
    }

    private bool Take(List<Write> writes, List<LogRow> rows)
    {
        lock (_sync)
        {
            while (_writes.Count == 0 && !_stopping)
            {
                if (_rows.Count == 0)
                    Monitor.Wait(_sync);
                else if (!Monitor.Wait(_sync, RowDelay))
                    break;
            }
            // Other work (a flush, a trim) comes without records, after all rows before it.
            bool alone = _writes.TryPeek(out Write? first) && first.Work is not null;
            while ((alone || rows.Count < MaxRowsACommit) && _rows.TryDequeue(out LogRow? row))
                rows.Add(row);
            if (alone)
                writes.Add(_writes.Dequeue());
            while (!alone && writes.Count < MaxRecordsACommit && _writes.TryPeek(out Write? next) && next.Work is null)
                writes.Add(_writes.Dequeue());
            return writes.Count + rows.Count > 0 || !_stopping;
        }
    }

    private void Commit(List<Write> writes, List<LogRow> rows)
    {
        long start = Stopwatch.GetTimestamp();
        try
        {
            CommitRecordsAndRows(writes, rows);
            foreach (Write write in writes)
                write.Work?.Invoke(_connection);
            _health = new StoreHealth(Stopwatch.GetElapsedTime(start), null);
            foreach (Write write in writes)
                write.Done.SetResult();
        }
        catch (Exception e)
        {
            Exception problem = e is SqliteException sqlite ? DatabaseFile.Translate(sqlite, _path) : e;
            // What the work itself turns down, such as a name that is taken, is no fault of the store.
            if (problem is not StacyVMException { Kind: not (ProblemKind.Unavailable or ProblemKind.StorageFull) })
                _health = new StoreHealth(Stopwatch.GetElapsedTime(start), problem.Message);
            foreach (Write write in writes)
                write.Done.TrySetException(problem);
            Interlocked.Add(ref _dropped, rows.Count);
            WriteFailed(_log, problem.Message, writes.Count, rows.Count);
        }
        long dropped = Dropped;
        if (dropped != _droppedReported)
        {
            _droppedReported = dropped;
            RowsDropped(_log, dropped);
        }
    }

    private void CommitRecordsAndRows(List<Write> writes, List<LogRow> rows)
    {
        if (rows.Count == 0 && !writes.Exists(write => write.Record is not null))
            return;
        using SqliteTransaction transaction = _connection.BeginTransaction(deferred: false);
        foreach (Write write in writes)
        {
            if (write.Record is not null)
                _records.Save(write.Record, transaction);
        }
        foreach (LogRow row in rows)
            _logs.Write(row, transaction);
        transaction.Commit();
        Commits++;
    }

    [LoggerMessage(Level = LogLevel.Error, EventName = "store.write_failed", Message = "{Problem}; {Records} records and {Rows} log rows were not written")]
    private static partial void WriteFailed(ILogger log, string problem, int records, int rows);

    [LoggerMessage(Level = LogLevel.Warning, EventName = "store.rows_dropped", Message = "{Dropped} log and audit rows have been dropped since the start: the disk does not keep up")]
    private static partial void RowsDropped(ILogger log, long dropped);

    private sealed record Write(SandboxRecord? Record, Action<SqliteConnection>? Work)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
