using System.CommandLine;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class SignalCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var process = new Argument<long>("process") { Description = "Number from: stacyvm processes <id>" };
        var signal = new Argument<string>("signal") { Description = "Name or number", DefaultValueFactory = _ => "SIGTERM" };
        var command = new Command("signal", "Send a signal to a process of a sandbox") { id, process, signal };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            await client.Refer(parsed.GetRequiredValue(id)).SignalProcessAsync(parsed.GetValue(process), parsed.GetRequiredValue(signal), cancellation);
        });
        return command;
    }
}
