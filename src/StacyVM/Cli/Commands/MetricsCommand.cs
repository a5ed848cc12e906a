using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class MetricsCommand
{
    public static Command Create()
    {
        var prometheus = new Option<bool>("--prometheus") { Description = "Print Prometheus' text format" };
        var command = new Command("metrics", "Show the counters of the server") { prometheus };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            if (parsed.GetValue(prometheus))
            {
                Console.Out.Write(await client.PrometheusMetricsAsync(cancellation));
                return;
            }
            MetricsInfo metrics = await client.MetricsAsync(cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(metrics, RestJson.Default.MetricsInfo);
                return;
            }
            var facts = new TextTable("WHAT", "VALUE");
            facts.Add("uptime", metrics.Uptime);
            facts.Add("threads", Number(metrics.Goroutines));
            facts.Add("memory", Printer.Size(metrics.MemorySys));
            facts.Add("sandboxes", $"{Number(metrics.Sandboxes.Total)}, running {Number(metrics.Sandboxes.Active)}");
            facts.Add("levels", $"{Number(metrics.Providers.Healthy)} of {Number(metrics.Providers.Total)} work");
            facts.Add("spawns waiting", Number(metrics.Scheduler.SpawnQueueDepth));
            facts.Add("events", Number(metrics.Events.EventsTotal));
            Console.Out.Write(facts);
            if (metrics.Operations.Count > 0)
            {
                Console.Out.WriteLine();
                Console.Out.Write(OperationTable.Of(metrics.Operations));
            }
        });
        return command;
    }

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
