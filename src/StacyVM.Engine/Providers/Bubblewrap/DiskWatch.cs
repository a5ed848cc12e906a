using System.Collections.Concurrent;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// Keeps the workspaces of sandboxes within their bounds on file systems that count for nobody. One question to the file system tells
/// whether anything has grown; only then the workspaces of those who have run since are looked through.
/// </summary>
internal sealed class DiskWatch(string dataDirectory, ILogger log) : IDisposable
{
    /// <summary>What health says.</summary>
    public const string Sentence = "/workspace is watched, twice a second while the disk fills, not by a quota: beyond the disk size writes are refused until it holds less, "
        + "at twice the size the sandbox is ended; one file is bounded by the disk size at once, /tmp and /dev/shm by the memory size";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    /// <summary>Growth of the whole file system that is worth a look.</summary>
    private const long Step = 4 * 1024 * 1024;

    /// <summary>A look that took long is not repeated at once: watching takes at most a tenth of one processor.</summary>
    private const int PauseFactor = 10;

    private readonly ConcurrentDictionary<string, WatchedWorkspace> _workspaces = new();
    private readonly CancellationTokenSource _end = new();
    private int _running;

    public void Add(WatchedWorkspace workspace)
    {
        if (!workspace.IsBounded)
            return;
        _workspaces[workspace.Id] = workspace;
        if (Interlocked.Exchange(ref _running, 1) == 0)
            _ = Task.Run(WatchAsync);
    }

    public void Remove(string id) => _workspaces.TryRemove(id, out _);

    public void Dispose() => _end.Cancel();

    private async Task WatchAsync()
    {
        // Whatever was there before has never been looked at.
        long looked = 0;
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token).ConfigureAwait(false))
            {
                long used = Used();
                // What others have freed does not hide what is written now.
                looked = Math.Min(looked, used);
                if (used - looked < Step && used >= 0 && !_workspaces.Values.Any(workspace => workspace.IsClosed))
                    continue;
                looked = used;
                TimeSpan took = Look();
                if (took > Interval / PauseFactor)
                    await Task.Delay(took * PauseFactor, _end.Token).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException)
        {
        }
    }

    private TimeSpan Look()
    {
        long start = Stopwatch.GetTimestamp();
        foreach (WatchedWorkspace workspace in _workspaces.Values)
        {
            try
            {
                if (workspace.IsDue())
                    workspace.Look(log);
            }
            catch (IOException cause)
            {
                // One that is being removed has no directory any more.
                if (_workspaces.ContainsKey(workspace.Id))
                    BubblewrapLog.DiskNotWatched(log, workspace.Id, cause.Message);
            }
        }
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>-1 when the file system cannot be asked: then every tick is worth a look.</summary>
    private long Used() => Libc.UsedOn(dataDirectory) is { } used ? (long)used.Bytes + (long)used.Inodes * TreeUsage.BytesPerEntry : -1;
}
