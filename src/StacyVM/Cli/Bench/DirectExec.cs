using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Cli.Serve;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Cli.Bench;

/// <summary>The same command at the same level without HTTP: what the server itself adds is the difference.</summary>
internal static class DirectExec
{
    private static readonly ExecSpec True = new() { Arguments = ["true"] };

    public static async Task<Latency> MeasureAsync(BenchOptions bench, CancellationToken cancellation)
    {
        EmbeddedAgent.Require();
        using var directory = new BenchDirectory();
        var flags = new Dictionary<string, string> { ["data_dir"] = directory.Path, ["providers.default"] = bench.Provider! };
        if (bench.Provider == "mock")
            flags["providers.mock.enabled"] = "true";
        if (bench.DockerHost is { } daemon)
            flags["providers.docker.socket"] = daemon;
        StacyOptions options = ConfigurationLoader.Load(ConfigurationSources.OfProcess(null, flags)).Options;
        await using StacyEngine engine = await StacyEngine.OpenAsync(options, EmbeddedAgent.Open, NullLoggerFactory.Instance);
        var spawn = new SpawnRequest { Image = bench.SandboxImage, Ttl = "30m", MemoryMb = 256 };
        SandboxInfo info = await engine.Sandboxes.CreateAsync(spawn, Caller.System, cancellation);
        try
        {
            ISandbox sandbox = await engine.Sandboxes.LivingAsync(info.Id, Caller.System, cancellation);
            var timings = new Timings(Names.DirectExec);
            for (int run = -20; run < bench.Iterations * 5; run++)
                await (run < 0 ? new Timings("") : timings).MeasureAsync(() => TrueAsync(sandbox, cancellation));
            return timings.ToLatency();
        }
        finally
        {
            await engine.Sandboxes.DestroyAsync(info.Id, Caller.System, CancellationToken.None);
        }
    }

    private static async Task TrueAsync(ISandbox sandbox, CancellationToken cancellation)
    {
        await using IExecSession session = await sandbox.StartAsync(True, cancellation);
        while (await session.ReadAsync(cancellation) is not null)
        {
        }
        ExecExit exit = await session.Exit;
        if (exit.Code != 0)
            throw new StacyVMException(ProblemKind.Internal, $"true ended with {exit.Code} in {sandbox.Id}");
    }
}
