using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class PruneCommand
{
    public static Command Create()
    {
        var command = new Command("prune", "Destroy sandboxes whose time is up");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            int pruned = await client.PruneAsync(cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(new PruneResult { Pruned = pruned }, RestJson.Default.PruneResult);
            else
                Console.Out.WriteLine($"{pruned} {(pruned == 1 ? "sandbox" : "sandboxes")} pruned");
        });
        return command;
    }
}
