using System.CommandLine;
using StacyVM.Cli.Operations;
using StacyVM.Cli.Output;

namespace StacyVM.Cli.Commands;

internal static class DatabaseCommand
{
    public static Command Create() => new("db", "Back up and restore the database of this machine's server") { Backup(), Restore() };

    private static Command Backup()
    {
        var target = new Argument<string>("out") { Description = "File to write" };
        Option<string?> database = CheckOptions.Database();
        var force = new Option<bool>("--force") { Description = "Replace the file when it exists" };
        var command = new Command("backup", "Write a whole, checked copy of the database, also while the server runs") { target, database, force };
        command.SetAction(parsed =>
        {
            string path = Path.GetFullPath(parsed.GetRequiredValue(target));
            BackupResult result = Database.Of(MachineSources.Of(parsed), parsed.GetValue(database)).Backup(path, parsed.GetValue(force));
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(result, CliJson.Default.BackupResult);
                return;
            }
            Console.Out.WriteLine($"backup written: {result.Path}");
            if (result.NeedsSecretKey)
                Console.Out.WriteLine($"keep {result.SecretKeyFile} too, in another place: without it the secrets in the backup cannot be opened");
        });
        return command;
    }

    private static Command Restore()
    {
        var backup = new Argument<string>("backup") { Description = "File made by db backup" };
        Option<string?> database = CheckOptions.Database();
        var yes = new Option<bool>("--yes") { Description = "Really replace the database" };
        var command = new Command("restore", "Put a backup in the place of the database; the server must not run") { backup, database, yes };
        command.SetAction(parsed =>
        {
            if (!parsed.GetValue(yes))
                throw new UsageException("restoring replaces the database: say --yes");
            string path = Path.GetFullPath(parsed.GetRequiredValue(backup));
            RestoreResult result = Database.Of(MachineSources.Of(parsed), parsed.GetValue(database)).Restore(path, TimeProvider.System);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(result, CliJson.Default.RestoreResult);
                return;
            }
            if (result.SafetyCopy is { } safety)
                Console.Out.WriteLine($"existing database safety copy: {safety}");
            Console.Out.WriteLine($"database restored: {result.Path}");
            if (result.LacksSecretKey)
                Console.Out.WriteLine($"the backup holds secrets, and {result.SecretKeyFile} is not there: put it back from where you kept it");
        });
        return command;
    }
}
