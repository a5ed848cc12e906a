using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench.Levels;

/// <summary>One level with one image, one thing at a time.</summary>
internal sealed class LevelTimes(StacyClient client, string provider, string image, int iterations)
{
    private const int Idle = 5;
    private const double Megabyte = 1024 * 1024;

    private readonly SpawnRequest _spawn = new() { Provider = provider, Image = image, Ttl = "30m", MemoryMb = 256 };

    /// <summary>1 the first spawn, 2 further ones, 3 from a checkpoint, 4 commands, 5 memory.</summary>
    public async Task<LevelRow> MeasureAsync(int? serverPid, CancellationToken cancellation)
    {
        // 1. and 2.
        (double first, string ran) = await SpawnAsync(_spawn, cancellation);
        double spawn = await MedianAsync(_spawn, cancellation);

        // 3.
        (double? restored, string? content) = await CheckpointAsync(cancellation);

        // 4.
        Latency exec = await new HttpLatency(client, _spawn).ExecAsync(iterations * 5, cancellation);

        // 5.
        double? memory = null;
        try
        {
            memory = (await Density.MeasureAsync(client, _spawn, Idle, serverPid, cancellation)).BytesPerSandbox / Megabyte;
        }
        catch (StacyVMException e) when (e.Kind == ProblemKind.Unsupported)
        {
            // The processes of this level are not on this machine.
        }
        return new LevelRow
        {
            Provider = provider,
            Image = ran,
            FirstMs = first,
            SpawnMs = spawn,
            CheckpointMs = restored,
            CheckpointContent = content,
            ExecMs = exec.P50,
            MemoryMb = memory,
        };
    }

    private async Task<(double? Milliseconds, string? Content)> CheckpointAsync(CancellationToken cancellation)
    {
        string name = "bench-" + Guid.NewGuid().ToString("N")[..8];
        CheckpointInfo saved;
        await using (Sandbox sandbox = await client.SpawnAsync(_spawn, cancellation))
        {
            await HttpLatency.TrueAsync(sandbox, cancellation);
            try
            {
                saved = await sandbox.CheckpointAsync(name, cancellation);
            }
            catch (StacyVMException e) when (e.Kind == ProblemKind.Unsupported)
            {
                return (null, null);
            }
        }
        try
        {
            double median = await MedianAsync(new SpawnRequest { Checkpoint = name, Ttl = "30m" }, cancellation);
            return (median, saved.Content);
        }
        finally
        {
            await client.DeleteCheckpointAsync(name, CancellationToken.None);
        }
    }

    private async Task<double> MedianAsync(SpawnRequest request, CancellationToken cancellation)
    {
        List<double> times = [];
        for (int run = 0; run < iterations; run++)
            times.Add((await SpawnAsync(request, cancellation)).Milliseconds);
        return Timings.At([.. times.Order()], 50);
    }

    private async Task<(double Milliseconds, string Image)> SpawnAsync(SpawnRequest request, CancellationToken cancellation)
    {
        var timing = new Timings("");
        Sandbox? made = null;
        try
        {
            await timing.MeasureAsync(async () =>
            {
                made = await client.SpawnAsync(request, cancellation);
                await HttpLatency.TrueAsync(made, cancellation);
            });
            return (timing.ToLatency().P50, made!.Image);
        }
        finally
        {
            if (made is not null)
                await made.DestroyAsync(CancellationToken.None);
        }
    }
}
