using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class StatsCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var command = new Command("stats", "Show what a sandbox uses") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            SandboxStats stats = await client.Refer(parsed.GetRequiredValue(id)).StatsAsync(cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(stats, RestJson.Default.SandboxStats);
                return;
            }
            if (!stats.Supported)
            {
                Console.Out.WriteLine("This provider has no statistics");
                return;
            }
            var table = new TextTable("CPU", "MEMORY", "LIMIT", "PROCESSES", "DISK");
            table.Add(
                $"{stats.CpuPct ?? 0:0.0} %",
                Printer.Size(stats.MemBytes ?? 0),
                stats.MemLimitBytes is > 0 and var limit ? Printer.Size(limit) : "-",
                stats.Processes?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "-",
                stats.DiskBytes is >= 0 and var disk ? Printer.Size(disk) : "-");
            Console.Out.Write(table);
        });
        return command;
    }
}
