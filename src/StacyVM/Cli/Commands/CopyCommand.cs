using System.CommandLine;
using StacyVM.Cli.Copy;
using StacyVM.Cli.Output;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class CopyCommand
{
    public static Command Create()
    {
        var source = new Argument<string>("source") { Description = "<id>:<path>, a local file or directory, or - for stdin" };
        var target = new Argument<string>("target") { Description = "<id>:<path>, a local file or directory, or - for stdout" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print nothing" };
        var command = new Command("cp", "Copy files and directories into and out of sandboxes") { source, target, quiet };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            CopyPath to = CopyPath.Parse(parsed.GetRequiredValue(target));
            CopyResult result = await new Copier(client).CopyAsync(CopyPath.Parse(parsed.GetRequiredValue(source)), to, cancellation);
            foreach (string skipped in result.Skipped)
                Console.Error.WriteLine($"skipped (a link or a special file): {TextTable.Visible(skipped)}");
            // stdout is the file's own when it is the target.
            if (!to.IsStream && !parsed.GetValue(quiet))
                Report(result, parsed.GetValue(GlobalOptions.Json));
        });
        return command;
    }

    private static void Report(CopyResult result, bool json)
    {
        if (json)
            Printer.Json(result, CliJson.Default.CopyResult);
        else
            Console.Out.WriteLine($"{result.Files} {(result.Files == 1 ? "file" : "files")}, {Printer.Size(result.Bytes)} copied");
    }
}
