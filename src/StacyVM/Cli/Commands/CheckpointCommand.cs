using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class CheckpointCommand
{
    public static Command Create() => new("checkpoint", "Save sandboxes, and start others from what was saved") { Make(), List(), Inspect(), Remove() };

    private static Command Make()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var name = new Argument<string>("name") { Description = "What to call it; unique for the owner of the sandbox" };
        var command = new Command("create", "Save a running sandbox, which runs on") { id, name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            CheckpointInfo made = await client.Refer(parsed.GetRequiredValue(id)).CheckpointAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(made, RestJson.Default.CheckpointInfo);
            else
                Console.Out.WriteLine($"Checkpoint {made.Name} made ({made.Content}, {Megabytes(made.SizeBytes)})");
        });
        return command;
    }

    private static Command List()
    {
        var command = new Command("list", "List checkpoints, newest first");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            IReadOnlyList<CheckpointInfo> all = await client.CheckpointsAsync(cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json([.. all], RestJson.Default.ListCheckpointInfo);
                return;
            }
            var table = new TextTable("NAME", "STATE", "PROVIDER", "IMAGE", "CONTENT", "SIZE", "SANDBOX", "MADE");
            foreach (CheckpointInfo one in all)
            {
                string made = one.CreatedAt.ToLocalTime().ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture);
                table.Add(one.Name, one.State, one.Provider, one.Image, one.Content, Megabytes(one.SizeBytes), one.SandboxId, made);
            }
            Console.Out.Write(table);
        });
        return command;
    }

    private static Command Inspect()
    {
        Argument<string> name = Name();
        var command = new Command("inspect", "Show what is known of a checkpoint, as JSON") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Printer.Json(await client.CheckpointAsync(parsed.GetRequiredValue(name), cancellation), RestJson.Default.CheckpointInfo);
        });
        return command;
    }

    private static Command Remove()
    {
        Argument<string> name = Name();
        var command = new Command("rm", "Delete a checkpoint; sandboxes that were started from it live on") { name };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            await client.DeleteCheckpointAsync(parsed.GetRequiredValue(name), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(new StatusBody { Status = "deleted" }, RestJson.Default.StatusBody);
            else
                Console.Out.WriteLine($"Checkpoint {TextTable.Visible(parsed.GetRequiredValue(name))} deleted");
        });
        return command;
    }

    private static Argument<string> Name() => new("name") { Description = "Name or id of the checkpoint" };

    private static string Megabytes(long bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e6:0.0} MB");
}
