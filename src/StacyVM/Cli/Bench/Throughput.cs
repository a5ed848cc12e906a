using System.Diagnostics;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>Many users at the same time.</summary>
internal sealed class Throughput(StacyClient client, SpawnRequest spawn)
{
    private const int MostSandboxes = 16;

    /// <summary>Whole small lives a second: create, first result, destroy.</summary>
    public async Task<Rate> CreatesAsync(int concurrency, int count, CancellationToken cancellation)
    {
        double elapsed = await RunAsync(concurrency, count, async (_, stop) =>
        {
            await using Sandbox sandbox = await client.SpawnAsync(spawn, stop);
            await HttpLatency.TrueAsync(sandbox, stop);
        }, cancellation);
        return new Rate("create + first result + destroy", concurrency, count / elapsed);
    }

    /// <summary>Commands a second, spread over a few sandboxes.</summary>
    public async Task<Rate> ExecsAsync(int concurrency, int count, CancellationToken cancellation)
    {
        List<Sandbox> sandboxes = [];
        try
        {
            while (sandboxes.Count < Math.Min(concurrency, MostSandboxes))
                sandboxes.Add(await client.SpawnAsync(spawn, cancellation));
            await RunAsync(concurrency, concurrency, (index, stop) => HttpLatency.TrueAsync(sandboxes[index % sandboxes.Count], stop), cancellation);
            double elapsed = await RunAsync(
                concurrency, count, (index, stop) => HttpLatency.TrueAsync(sandboxes[index % sandboxes.Count], stop), cancellation);
            return new Rate("exec of true", concurrency, count / elapsed);
        }
        finally
        {
            await Task.WhenAll(sandboxes.Select(sandbox => sandbox.DisposeAsync().AsTask()));
        }
    }

    private static async Task<double> RunAsync(int concurrency, int count, Func<int, CancellationToken, Task> operation, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = concurrency, CancellationToken = cancellation };
        await Parallel.ForAsync(0, count, limits, async (index, stop) => await operation(index, stop));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
