using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class LogsCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var lines = new Option<int>("--lines", "-n") { Description = "How many of the last lines", DefaultValueFactory = _ => 100 };
        var command = new Command("logs", "Print the console of a sandbox") { id, lines };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            IReadOnlyList<string> log = await client.Refer(parsed.GetRequiredValue(id)).LogsAsync(parsed.GetValue(lines), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(log, RestJson.Default.IReadOnlyListString);
                return;
            }
            foreach (string line in log)
                Console.Out.WriteLine(line);
        });
        return command;
    }
}
