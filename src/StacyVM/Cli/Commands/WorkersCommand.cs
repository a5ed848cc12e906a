using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class WorkersCommand
{
    public static Command Create()
    {
        var command = new Command("workers", "Show the machines that host sandboxes");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<WorkerInfo> all = [.. await client.WorkersAsync(cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(all, RestJson.Default.ListWorkerInfo);
                return;
            }
            var table = new TextTable("ID", "HOST", "STATUS", "HEARTBEAT", "PROVIDERS");
            foreach (WorkerInfo worker in all)
                table.Add(worker.Id, worker.Hostname, worker.Stale ? "stale" : worker.Status, Printer.Clock(worker.LastHeartbeat), string.Join(", ", worker.Providers));
            Console.Out.Write(table);
        });
        return command;
    }
}
