using System.Diagnostics;
using StacyVM.Cli.Commands;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>
/// What a full database and the audit cost. Two servers that differ in that alone take turns, so that whatever else the machine does falls on both;
/// the ratios count.
/// </summary>
internal sealed class StoreRun(StoreBenchOptions options, Action<string> progress)
{
    private const int Residents = 10;
    private const int ListsARound = 5;
    private const int ExecsARound = 100;
    private const int AtATime = 16;

    private readonly List<Latency> _latencies = [];
    private readonly List<Rate> _rates = [];
    private readonly List<Verdict> _verdicts = [];
    private readonly SpawnRequest _spawn = new() { Provider = options.Provider, MemoryMb = 128, Ttl = "30m" };

    public async Task<BenchReport> RunAsync(CancellationToken cancellation)
    {
        MachineDescription machine = MachineDescription.Read();
        (string provider, string image) = await CompareRowsAsync(cancellation);
        await CompareAuditAsync(cancellation);
        return new BenchReport
        {
            Version = VersionAction.Version,
            Machine = machine,
            Provider = provider,
            Image = image,
            Latencies = _latencies,
            Rates = _rates,
            Quantities = [],
            Verdicts = _verdicts,
            Skipped = [],
        };
    }

    private async Task<(string Provider, string Image)> CompareRowsAsync(CancellationToken cancellation)
    {
        progress($"a database with {options.Rows} old rows of each kind");
        (BenchServer empty, _) = await BenchServer.StartAsync(new BenchOptions { Provider = options.Provider }, cancellation);
        await using BenchServer one = empty;
        (BenchServer full, _) = await BenchServer.StartAsync(new BenchOptions { Provider = options.Provider }, cancellation, prepare: directory => OldRows.WriteAsync(directory, options.Rows));
        await using BenchServer other = full;
        string named = $"{options.Rows} old rows";
        Timings[] spawns = [new("spawn, new database"), new($"spawn, {named}")];
        Timings[] lists = [new("list, new database"), new($"list, {named}")];
        StacyClient[] clients = [empty.Client, full.Client];
        (string provider, string image) = ("", "");
        foreach (StacyClient client in clients)
        {
            for (int i = 0; i < Residents; i++)
            {
                Sandbox resident = await client.SpawnAsync(_spawn, cancellation);
                (provider, image) = (resident.Provider, resident.Image);
            }
        }
        progress("spawn and list on both, by turns");
        for (int round = 0; round < options.Rounds; round++)
        {
            for (int turn = 0; turn < 2; turn++)
            {
                // Who begins changes with the rounds.
                int server = (turn + round) % 2;
                StacyClient client = clients[server];
                Sandbox? made = null;
                await spawns[server].MeasureAsync(async () => made = await client.SpawnAsync(_spawn, cancellation));
                await made!.DestroyAsync(cancellation);
                for (int i = 0; i < ListsARound; i++)
                    await lists[server].MeasureAsync(() => client.ListAsync(cancellation));
            }
        }
        foreach (Timings[] pair in (Timings[][])[spawns, lists])
        {
            Latency[] found = [.. pair.Select(timings => timings.ToLatency())];
            _latencies.AddRange(found);
            double ratio = found[1].P50 / found[0].P50;
            _verdicts.Add(new Verdict($"{found[1].Name} ÷ new database (p50)", ratio, "≤ 1.1×", ratio <= 1.1));
        }
        return (provider, image);
    }

    private async Task CompareAuditAsync(CancellationToken cancellation)
    {
        (BenchServer silent, _) = await BenchServer.StartAsync(new BenchOptions { Provider = options.Provider }, cancellation, new Dictionary<string, string> { ["STACYVM_LOGGING_AUDIT"] = "false" });
        await using BenchServer one = silent;
        (BenchServer audited, _) = await BenchServer.StartAsync(
            new BenchOptions { Provider = options.Provider }, cancellation, new Dictionary<string, string> { ["STACYVM_LOGGING_AUDIT"] = "true", ["STACYVM_LOGGING_EXEC_OUTPUT"] = "true" });
        await using BenchServer other = audited;
        Sandbox[][] sandboxes = [await SpawnAsync(silent.Client, cancellation), await SpawnAsync(audited.Client, cancellation)];
        List<double> ratios = [];
        double[] seconds = [0, 0];
        progress("commands with and without audit and kept output, by turns");
        for (int round = -2; round < options.Rounds; round++)
        {
            double[] took = new double[2];
            for (int turn = 0; turn < 2; turn++)
            {
                int server = (turn + Math.Abs(round)) % 2;
                took[server] = await ExecAsync(sandboxes[server], cancellation);
            }
            if (round < 0)
                continue;
            ratios.Add(took[0] / took[1]);
            seconds[0] += took[0];
            seconds[1] += took[1];
        }
        _rates.Add(new Rate("exec of true, nothing kept", AtATime, options.Rounds * ExecsARound / seconds[0]));
        _rates.Add(new Rate("exec of true, audit and output kept", AtATime, options.Rounds * ExecsARound / seconds[1]));
        double median = Timings.At([.. ratios.Order()], 50);
        _verdicts.Add(new Verdict("exec throughput with audit ÷ without (median of rounds)", median, "≥ 0.9×", median >= 0.9));
    }

    private async Task<Sandbox[]> SpawnAsync(StacyClient client, CancellationToken cancellation)
    {
        var made = new Sandbox[4];
        for (int i = 0; i < made.Length; i++)
            made[i] = await client.SpawnAsync(_spawn, cancellation);
        return made;
    }

    private static async Task<double> ExecAsync(Sandbox[] sandboxes, CancellationToken cancellation)
    {
        long start = Stopwatch.GetTimestamp();
        var limits = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation };
        await Parallel.ForAsync(0, ExecsARound, limits, async (index, stop) => await HttpLatency.TrueAsync(sandboxes[index % sandboxes.Length], stop));
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
