using System.CommandLine;
using StacyVM.Cli.Operations;
using StacyVM.Cli.Output;

namespace StacyVM.Cli.Commands;

internal static class UpgradeCommand
{
    public static Command Create() => new("upgrade", "Prepare an upgrade of this machine's server") { Rehearse() };

    private static Command Rehearse()
    {
        Option<string?> database = CheckOptions.Database();
        var output = new Option<string?>("--backup-output") { Description = "Where the backup of the upgrade will go [default: beside the database]", HelpName = "file" };
        var doctor = new Option<bool>("--include-doctor") { Description = "Try this machine too, as doctor --production does" };
        var command = new Command("rehearse", "Check everything an upgrade needs, and apply its migrations to a copy of the database") { database, output, doctor };
        command.SetAction(async (parsed, _) =>
        {
            UpgradeRehearsal found = await UpgradeRehearsal.RunAsync(
                MachineSources.Of(parsed), parsed.GetValue(database), parsed.GetValue(output), parsed.GetValue(doctor), TimeProvider.System);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(found, CliJson.Default.UpgradeRehearsal);
            else
                Print(found);
            return found.Failed > 0 ? 1 : 0;
        });
        return command;
    }

    private static void Print(UpgradeRehearsal found)
    {
        foreach (CheckSection section in found.Sections)
        {
            Console.Out.WriteLine($"{section.Title}\n");
            CheckPrinter.WriteLines(section.Checks);
            Console.Out.WriteLine();
        }
        Console.Out.WriteLine("The upgrade\n");
        for (int at = 0; at < found.Flow.Count; at++)
            Console.Out.WriteLine($"  {at + 1}. {found.Flow[at]}");
        Console.Out.WriteLine();
        if (found.Note is { } note)
            Console.Out.WriteLine($"Note: {note}\n");
        if (found.Failed > 0)
            ErrorBlock.WriteFailure($"upgrade rehearsal found {found.Failed} failing check(s)");
        else
            Console.Out.WriteLine("Upgrade rehearsal passed.");
    }
}
