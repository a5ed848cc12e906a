using StacyVM.Cli.Commands;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench.Levels;

/// <summary>Every isolation level that works on this machine, one after another, on a server of its own. What does not work is said.</summary>
internal sealed class LevelsRun(BenchOptions options, Action<string> progress)
{
    /// <summary>Levels whose time is not ours: a test level, and those that run elsewhere.</summary>
    private static readonly string[] Elsewhere = ["mock", "custom", "e2b"];

    private const string HostImage = "host";

    private readonly List<LevelRow> _levels = [];
    private readonly List<Latency> _floors = [];
    private readonly List<string> _skipped = [];

    /// <summary>1 a server, 2 the image for the levels that are built here, 3 each level, 4 the bare programs.</summary>
    public async Task<LevelsReport> RunAsync(CancellationToken cancellation)
    {
        MachineDescription machine = MachineDescription.Read();

        // 1.
        progress("start of the server");
        (BenchServer server, _) = await BenchServer.StartAsync(options, cancellation);
        await using (server)
        {
            IReadOnlyList<ProviderInfo> providers = await server.Client.ProvidersAsync(cancellation);

            // 2.
            string? image = await ImageAsync(server.Client, providers, cancellation);

            // 3.
            foreach (ProviderInfo provider in providers.Where(one => !Elsewhere.Contains(one.Name)))
            {
                if (provider.Healthy)
                    await MeasureAsync(server, provider, image, cancellation);
                else
                    _skipped.Add($"{provider.Name}: {provider.Error}");
            }
        }

        // 4.
        await TryAsync("bwrap … true", async () => _floors.Add(await RawBubblewrap.MeasureAsync(options.Iterations, cancellation)));
        if (_levels.Exists(level => level.Provider == "gvisor"))
        {
            using var runsc = new RawRunsc(options.Iterations);
            await TryAsync(RawRunsc.Run, async () => _floors.Add(await runsc.RunAsync(cancellation)));
            await TryAsync(RawRunsc.Restore, async () => _floors.Add(await runsc.RestoreAsync(cancellation)));
        }
        var docker = new DockerTimes(options.DockerHost, options.DockerImage);
        if (await docker.ObstacleAsync(cancellation) is null)
        {
            await TryAsync(Names.DockerRun, async () => _floors.Add(await docker.RunAsync(cancellation)));
            await TryAsync(Names.DockerExec, async () => _floors.Add(await docker.ExecAsync(cancellation)));
        }
        return new LevelsReport
        {
            Version = VersionAction.Version,
            Machine = machine,
            Levels = _levels,
            Floors = _floors,
            Verdicts = [.. LevelPromises.Judge(_levels, _floors)],
            Skipped = _skipped,
        };
    }

    private async Task MeasureAsync(BenchServer server, ProviderInfo provider, string? image, CancellationToken cancellation)
    {
        List<string> images = [];
        if (provider.Images?.Contains(HostImage) == true)
            images.Add(HostImage);
        if (provider.Name == "docker")
            images.Add(options.DockerImage);
        else if (image is not null)
            images.Add(image);
        if (images.Count == 0)
            _skipped.Add($"{provider.Name}: it needs an image: name one with --image");
        foreach (string one in images)
        {
            await TryAsync($"{provider.Name}, image {one}", async () =>
                _levels.Add(await new LevelTimes(server.Client, provider.Name, one, options.Iterations).MeasureAsync(server.ProcessId, cancellation)));
        }
    }

    /// <summary>The image that was named; otherwise Docker's, taken over from there. Null when there is none.</summary>
    private async Task<string?> ImageAsync(StacyClient client, IReadOnlyList<ProviderInfo> providers, CancellationToken cancellation)
    {
        string? brought = null;
        if (options.Image is { } named)
            await TryAsync($"pull of {named}", async () => brought = (await client.PullImageAsync(named, cancellation: cancellation)).Names[0]);
        else if (providers.Any(one => one is { Name: "docker", Healthy: true }))
            await TryAsync($"{options.DockerImage} from Docker", async () => brought = (await client.PullImageAsync(options.DockerImage, from: "docker", cancellation: cancellation)).Names[0]);
        return brought;
    }

    private async Task TryAsync(string name, Func<Task> measure)
    {
        progress(name);
        try
        {
            await measure();
        }
        catch (StacyVMException fault)
        {
            _skipped.Add($"{name}: {fault.Message}");
        }
    }
}
