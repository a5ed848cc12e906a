using System.CommandLine;
using System.Text.Json.Nodes;
using StacyVM.Cli.Operations;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class SupportCommand
{
    public static Command Create() => new("support", "Collect what helps others to help") { Bundle() };

    private static Command Bundle()
    {
        var target = new Argument<string>("out") { Description = "File to write" };
        var doctor = new Option<bool>("--include-doctor") { Description = "Try this machine too, as doctor does" };
        var server = new Option<bool>("--include-server") { Description = "Ask the server for its diagnostics" };
        var command = new Command("bundle", "Write one file, without secrets, for whoever is asked for help") { target, doctor, server };
        command.SetAction(async (parsed, cancellation) =>
        {
            string path = Path.GetFullPath(parsed.GetRequiredValue(target));
            Func<StacyClient>? client = parsed.GetValue(server) ? () => GlobalOptions.ClientOf(parsed) : null;
            JsonObject content = await SupportBundle.CollectAsync(
                MachineSources.Of(parsed), parsed.GetValue(doctor), client, GlobalOptions.KeyOf(parsed), TimeProvider.System, cancellation);
            SupportBundle.Write(content, path);
            if (parsed.GetValue(GlobalOptions.Json))
                Console.Out.WriteLine(new JsonObject { ["path"] = path }.ToJsonString());
            else
                Console.Out.WriteLine($"support bundle written: {path}");
        });
        return command;
    }
}
