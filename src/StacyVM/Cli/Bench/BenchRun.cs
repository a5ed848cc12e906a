using StacyVM.Cli.Commands;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>All measurements, one after another on an otherwise quiet machine. What cannot be measured is skipped and said.</summary>
internal sealed class BenchRun(BenchOptions options, Action<string> progress)
{
    private const int Restarts = 5;
    private const double Megabyte = 1024 * 1024;

    private readonly List<Latency> _latencies = [];
    private readonly List<Rate> _rates = [];
    private readonly List<Quantity> _quantities = [];
    private readonly List<string> _skipped = [];

    /// <summary>
    /// 1 start a server, unless one was named, 2 the floor, 3 one user, 4 many users, 5 files, 6 memory, 7 the same without HTTP, 8 docker.
    /// </summary>
    /// <param name="named">A server that the user named; null: an own one.</param>
    /// <param name="cancellation">Stops; everything that was made is removed.</param>
    public async Task<BenchReport> RunAsync(StacyClient? named, CancellationToken cancellation)
    {
        MachineDescription machine = MachineDescription.Read();

        // 1.
        BenchServer? own = named is null ? await StartServerAsync(cancellation) : null;
        string provider, image;
        try
        {
            StacyClient client = named ?? own!.Client;
            var spawn = new SpawnRequest { Image = options.SandboxImage, Provider = options.Provider, Ttl = "30m", MemoryMb = 256 };
            await using (Sandbox probe = await client.SpawnAsync(spawn, cancellation))
                (provider, image) = (probe.Provider, probe.Image);

            // 2.
            await TryAsync("bwrap … true", async () => _latencies.Add(await RawBubblewrap.MeasureAsync(options.Iterations, cancellation)));

            // 3.
            var one = new HttpLatency(client, spawn);
            await StepAsync("create → first result", async () => _latencies.Add(await one.CreateAsync(options.Iterations, cancellation)));
            await StepAsync("exec over HTTP", async () => _latencies.Add(await one.ExecAsync(options.Iterations * 5, cancellation)));

            // 4.
            var many = new Throughput(client, spawn);
            foreach (int at in options.Concurrency)
            {
                await StepAsync($"throughput, {at} at a time", async () =>
                {
                    _rates.Add(await many.CreatesAsync(at, Math.Max(options.Iterations, at * 2), cancellation));
                    _rates.Add(await many.ExecsAsync(at, Math.Max(options.Iterations * 5, at * 10), cancellation));
                });
            }

            // 5.
            await StepAsync("64 MiB up and down", async () =>
            {
                (double up, double down) = await FileSpeed.MeasureAsync(client, spawn, cancellation);
                _quantities.Add(new Quantity(Names.Upload, up, "MB/s"));
                _quantities.Add(new Quantity(Names.Download, down, "MB/s"));
            });

            // 6.
            await TryAsync($"memory of {options.Density} sandboxes", () => MeasureDensityAsync(client, spawn, own?.ProcessId, cancellation));
        }
        finally
        {
            if (own is not null)
                await own.DisposeAsync();
        }

        // 7.
        await TryAsync("exec without HTTP", async () => _latencies.Add(
            await DirectExec.MeasureAsync(options with { Provider = provider }, cancellation)));

        // 8.
        await MeasureDockerAsync(cancellation);

        return new BenchReport
        {
            Version = VersionAction.Version,
            Machine = machine,
            Provider = provider,
            Image = image,
            Latencies = _latencies,
            Rates = _rates,
            Quantities = _quantities,
            Verdicts = [.. Promises.Judge(provider, _latencies, _quantities)],
            Skipped = _skipped,
        };
    }

    private async Task<BenchServer> StartServerAsync(CancellationToken cancellation)
    {
        progress("start of the server");
        (BenchServer server, TimeSpan first) = await BenchServer.StartAsync(options, cancellation);
        try
        {
            var timings = new Timings(Names.Start);
            timings.Add(first);
            for (int run = 1; run < Restarts; run++)
                timings.Add(await server.RestartAsync(cancellation));
            _latencies.Add(timings.ToLatency());
            // Probes of the isolation levels are part of a start; their memory is given back or is the server's for good.
            await server.Client.ProvidersAsync(cancellation);
            if (ProcessMemory.ResidentBytes(server.ProcessId) is { } bytes)
                _quantities.Add(new Quantity(Names.IdleServer, bytes / Megabyte, "MB"));
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    private async Task MeasureDensityAsync(StacyClient client, SpawnRequest spawn, int? serverPid, CancellationToken cancellation)
    {
        Density.Result result = await Density.MeasureAsync(client, spawn, options.Density, serverPid, cancellation);
        _quantities.Add(new Quantity(Names.SandboxMemory, result.BytesPerSandbox / Megabyte, "MB"));
        _quantities.Add(new Quantity("host processes a sandbox", result.ProcessesPerSandbox, ""));
        if (result.ServerBytes is { } bytes)
            _quantities.Add(new Quantity(Names.BusyServer, bytes / Megabyte, "MB"));
    }

    private async Task MeasureDockerAsync(CancellationToken cancellation)
    {
        var docker = new DockerTimes(options.DockerHost, options.DockerImage);
        if (await docker.ObstacleAsync(cancellation) is { } obstacle)
        {
            _skipped.Add("docker: " + obstacle);
            return;
        }
        await TryAsync("docker run", async () => _latencies.Add(await docker.RunAsync(cancellation)));
        await TryAsync("docker exec", async () => _latencies.Add(await docker.ExecAsync(cancellation)));
    }

    private Task StepAsync(string name, Func<Task> measure)
    {
        progress(name);
        return measure();
    }

    /// <summary>For what stands beside us: without it, the rest is still worth having.</summary>
    private async Task TryAsync(string name, Func<Task> measure)
    {
        try
        {
            await StepAsync(name, measure);
        }
        catch (StacyVMException fault)
        {
            _skipped.Add($"{name}: {fault.Message}");
        }
    }
}
