using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Cluster;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Diagnostics;
using StacyVM.Engine.Store;
using StacyVM.Engine.Store.Sqlite;
using Xunit;

namespace StacyVM.Tests.Cluster;

public sealed class LocalWorkerTests : IDisposable
{
    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("stacyvm-worker-");
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 12, 0, 0, TimeSpan.Zero));

    [Fact]
    public async Task It_beats_and_its_first_coming_survives_a_restart()
    {
        await using SqliteStore store = SqliteStore.Open(Path.Combine(_directory.FullName, "stacyvm.db"), new StoreLimits(), NullLogger.Instance, _time);
        DateTime first = _time.GetUtcNow().UtcDateTime;
        await LiveAsync(store);
        _time.Advance(TimeSpan.FromDays(1));

        (LocalWorker worker, WorkerRow row) = await LiveAsync(store);

        Assert.Equal(first, row.CreatedAt);
        Assert.Equal(first.AddDays(1), row.LastHeartbeat);
        Assert.Equal(first, worker.Describe().CreatedAt);
        Assert.Equal(["docker", "mock"], row.Providers);
    }

    [Fact]
    public async Task One_that_does_not_beat_is_stale_after_two_minutes()
    {
        await using SqliteStore store = SqliteStore.Open(Path.Combine(_directory.FullName, "stacyvm.db"), new StoreLimits(), NullLogger.Instance, _time);
        var worker = new LocalWorker(["docker"], Limits.Of(new DefaultsOptions()), store.Workers, _time);
        Assert.False(worker.Describe().Stale);
        _time.Advance(LocalWorker.StaleAfter + TimeSpan.FromSeconds(1));
        Assert.True(worker.Describe().Stale);
    }

    public void Dispose() => _directory.Delete(recursive: true);

    /// <summary>A worker that has beaten once and is stopped.</summary>
    private async Task<(LocalWorker Worker, WorkerRow Row)> LiveAsync(SqliteStore store)
    {
        var worker = new LocalWorker(["docker", "mock"], Limits.Of(new DefaultsOptions()), store.Workers, _time);
        using var stop = new CancellationTokenSource();
        Task running = worker.RunAsync(stop.Token);
        DateTime now = _time.GetUtcNow().UtcDateTime;
        WorkerRow? row;
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        do
            row = await store.Workers.FindAsync("local", patience.Token);
        while (row?.LastHeartbeat != now || worker.Describe().CreatedAt != row.CreatedAt);
        await stop.CancelAsync();
        await running;
        return (worker, row);
    }
}
