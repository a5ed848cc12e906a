using StacyVM.Cli.Commands;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>Many clients at once on a server of its own: what fails, how long it takes, what stays behind, and whether memory grows.</summary>
internal sealed class LoadRun(LoadOptions options, Action<string> progress)
{
    private const double Megabyte = 1024 * 1024;
    private const int Listeners = 4;

    private static readonly TimeSpan Calm = TimeSpan.FromSeconds(10);

    /// <summary>1 start a server, 2 warm it up, 3 load, watching its memory, 4 destroy everything, 5 count what is left, 6 judge.</summary>
    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        MachineDescription machine = MachineDescription.Read();
        var tally = new LoadTally();
        List<double> memory = [];

        // 1.
        progress("start of the server");
        (BenchServer server, _) = await BenchServer.StartAsync(new BenchOptions { Provider = options.Provider }, cancellation);
        await using BenchServer stopping = server;
        (string provider, string image) = await WarmUpAsync(server, cancellation);

        // 2. and 3.
        progress($"{options.Clients} clients for {options.Duration.TotalSeconds:0} seconds");
        int before = Remains.Descriptors(server.ProcessId);
        using (var client = new StacyClient($"http://127.0.0.1:{server.Port}"))
        using (var ending = CancellationTokenSource.CreateLinkedTokenSource(cancellation))
        {
            List<Task> tasks = [.. Enumerable.Range(0, options.Clients).Select(number => new LoadClient(client, provider, tally, number).RunAsync(options.Duration, cancellation))];
            List<Task> listening = [.. Enumerable.Range(0, Listeners).Select(_ => ListenAsync(client, tally, ending.Token))];
            Task work = Task.WhenAll(tasks);
            while (!work.IsCompleted)
            {
                await Task.WhenAny(work, Task.Delay(TimeSpan.FromSeconds(1), cancellation));
                if (ProcessMemory.ResidentBytes(server.ProcessId) is { } bytes)
                    memory.Add(bytes / Megabyte);
            }
            // 4. Each client destroys its own.
            await work;
            await ending.CancelAsync();
            await Task.WhenAll(listening);
        }

        // 5.
        progress("what is left behind");
        List<string> left = await Remains.SettledAsync(server, tally.Made, Calm, cancellation);
        int descriptors = Remains.Descriptors(server.ProcessId) - before;

        // 6.
        return Report(machine, provider, image, tally, memory, left, descriptors);
    }

    private BenchReport Report(MachineDescription machine, string provider, string image, LoadTally tally, List<double> memory, List<string> left, int descriptors)
    {
        List<Latency> latencies = tally.Latencies();
        Latency? exec = latencies.FirstOrDefault(latency => latency.Name == LoadClient.Exec);
        double growth = Median(memory, 0.75, 1) / Median(memory, 0.25, 0.5);
        double spread = exec is null ? double.NaN : exec.P99 / exec.P50;
        return new BenchReport
        {
            Version = VersionAction.Version,
            Machine = machine,
            Provider = provider,
            Image = image,
            Latencies = latencies,
            Rates = [.. latencies.Select(latency => new Rate(latency.Name, options.Clients, latency.Count / options.Duration.TotalSeconds))],
            Quantities =
            [
                new Quantity("operations", latencies.Sum(latency => latency.Count), ""),
                new Quantity("refused by a limit", tally.Limits, ""),
                new Quantity("events delivered", tally.Events, ""),
                new Quantity("server memory, second quarter (RSS, median)", Median(memory, 0.25, 0.5), "MB"),
                new Quantity("server memory, last quarter (RSS, median)", Median(memory, 0.75, 1), "MB"),
                new Quantity("server memory, most (RSS)", memory.Count == 0 ? double.NaN : memory.Max(), "MB"),
                new Quantity("open files of the server, more than before", descriptors, ""),
            ],
            Verdicts =
            [
                new Verdict("errors that are no limit", tally.Errors, "0", tally.Errors == 0),
                new Verdict("left behind: sandboxes, processes, mounts, groups, directories", left.Count, "0", left.Count == 0),
                new Verdict("open files of the server, more than before", descriptors, "≤ 16", descriptors <= 16),
                new Verdict("memory, last quarter ÷ second quarter", growth, "≤ 1.15×", growth <= 1.15),
                new Verdict("exec p99 ÷ p50", spread, "≤ 10×", spread <= 10),
            ],
            Skipped = [.. tally.Samples, .. left.Take(20)],
        };
    }

    private async Task<(string Provider, string Image)> WarmUpAsync(BenchServer server, CancellationToken cancellation)
    {
        await using Sandbox probe = await server.Client.SpawnAsync(new SpawnRequest { Provider = options.Provider, MemoryMb = 128 }, cancellation);
        await HttpLatency.TrueAsync(probe, cancellation);
        return (probe.Provider, probe.Image);
    }

    private static async Task ListenAsync(StacyClient client, LoadTally tally, CancellationToken cancellation)
    {
        try
        {
            await foreach (EventMessage _ in client.EventsAsync(null, cancellation))
                tally.Heard();
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // The end of the run.
        }
        catch (Protocol.Problems.StacyVMException e)
        {
            tally.Failed("events", e);
        }
    }

    private static double Median(List<double> values, double from, double to)
    {
        double[] part = [.. values.Skip((int)(values.Count * from)).Take(Math.Max(1, (int)(values.Count * (to - from)))).Order()];
        return Timings.At(part, 50);
    }
}
