using System.CommandLine;
using System.Runtime.InteropServices;
using StacyVM.Cli.Bench;
using StacyVM.Cli.Bench.Levels;
using StacyVM.Cli.Output;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class BenchCommand
{
    /// <summary>Of a table of levels each takes a while.</summary>
    private const int MostOfALevel = 20;

    public static Command Create()
    {
        var defaults = new BenchOptions();
        Option<int> iterations = Count("--iterations", "Sandboxes for the latency of a create; commands are run five times as often", defaults.Iterations);
        Option<int> density = Count("--density", "Idle sandboxes at the same time", defaults.Density);
        var provider = new Option<string?>("--provider") { Description = "Isolation level to measure [default: the server's]" };
        var image = new Option<string?>("--image") { Description = "Image to measure [default: the server's]" };
        var dockerHost = new Option<string?>("--docker-host") { Description = "Docker daemon to compare with [default: docker's own]", HelpName = "url" };
        var dockerImage = new Option<string>("--docker-image") { Description = "Image to compare with; it must be there", DefaultValueFactory = _ => defaults.DockerImage };
        var load = new Option<bool>("--load") { Description = "Instead: many clients at once that spawn, run, move files, listen and destroy; counts errors and what is left behind" };
        Option<int> clients = Count("--clients", "Clients of --load", new LoadOptions().Clients);
        Option<int> seconds = Count("--seconds", "How long --load goes on", (int)new LoadOptions().Duration.TotalSeconds);
        var store = new Option<bool>("--store") { Description = "Instead: what a full database and the audit cost, each as a ratio within one run" };
        Option<int> rows = Count("--rows", "Old rows of each kind for --store", new StoreBenchOptions().Rows);
        var levels = new Option<bool>("--levels") { Description = "Instead: every isolation level that works here, in one table, beside the bare programs" };
        var check = new Option<bool>("--check") { Description = "Exit with 1 when a promise is missed" };
        var command = new Command("bench", "Measure this machine: latency, throughput, memory, beside bwrap and docker; on a server of its own unless --server is given")
        {
            iterations, density, provider, image, dockerHost, dockerImage, load, clients, seconds, store, rows, levels, check,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            var options = new BenchOptions
            {
                Iterations = parsed.GetValue(iterations),
                Density = parsed.GetValue(density),
                Provider = parsed.GetValue(provider),
                Image = parsed.GetValue(image),
                DockerHost = parsed.GetValue(dockerHost),
                DockerImage = parsed.GetRequiredValue(dockerImage),
            };
            // An interrupted measurement cleans up after itself.
            using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            using PosixSignalRegistration interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, signal => Stop(signal, stop));
            using PosixSignalRegistration terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => Stop(signal, stop));
            using StacyClient? named = parsed.GetValue(GlobalOptions.Server) is null ? null : GlobalOptions.ClientOf(parsed);
            if ((parsed.GetValue(load) || parsed.GetValue(store) || parsed.GetValue(levels)) && named is not null)
                throw new UsageException("--load, --store and --levels watch the server's process and files: they start one of their own, so leave --server out");
            if (parsed.GetValue(levels))
                return await LevelsAsync(parsed, options with { Iterations = Math.Min(options.Iterations, MostOfALevel) }, parsed.GetValue(check), stop.Token);
            BenchReport report =
                parsed.GetValue(load) ? await new LoadRun(
                    new LoadOptions { Clients = parsed.GetValue(clients), Duration = TimeSpan.FromSeconds(parsed.GetValue(seconds)), Provider = options.Provider }, Progress).RunAsync(stop.Token)
                : parsed.GetValue(store) ? await new StoreRun(new StoreBenchOptions { Rows = parsed.GetValue(rows), Provider = options.Provider }, Progress).RunAsync(stop.Token)
                : await new BenchRun(options, Progress).RunAsync(named, stop.Token);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(report, CliJson.Default.BenchReport);
            else
                BenchTable.Print(report);
            return parsed.GetValue(check) && report.Verdicts.Any(verdict => !verdict.Passed) ? 1 : 0;
        });
        return command;
    }

    private static async Task<int> LevelsAsync(ParseResult parsed, BenchOptions options, bool check, CancellationToken cancellation)
    {
        LevelsReport report = await new LevelsRun(options, Progress).RunAsync(cancellation);
        if (parsed.GetValue(GlobalOptions.Json))
            Printer.Json(report, CliJson.Default.LevelsReport);
        else
            LevelsTable.Print(report);
        return check && report.Verdicts.Any(verdict => !verdict.Passed) ? 1 : 0;
    }

    private static Option<int> Count(string name, string description, int otherwise)
    {
        var option = new Option<int>(name) { Description = description, DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() < 1)
                result.AddError($"{name} is at least 1");
        });
        return option;
    }

    private static void Stop(PosixSignalContext signal, CancellationTokenSource stop)
    {
        signal.Cancel = true;
        stop.Cancel();
    }

    private static void Progress(string what) => Console.Error.WriteLine($"measuring: {what}");
}
