using System.CommandLine;
using StacyVM.Cli.Completion;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using FileInfo = StacyVM.Protocol.Rest.FileInfo;

namespace StacyVM.Cli.Commands;

/// <summary><c>ls</c>: files of a sandbox; without one the sandboxes, as the original's alias did.</summary>
internal static class FilesCommand
{
    public static Command Create()
    {
        var id = new Argument<string?>("id") { Description = "Id of the sandbox; without it sandboxes are listed", Arity = ArgumentArity.ZeroOrOne };
        id.CompletionSources.Add(ServerCompletion.SandboxIds);
        var path = new Argument<string>("path") { Description = "Directory or file", DefaultValueFactory = _ => "/workspace", Arity = ArgumentArity.ZeroOrOne };
        var command = new Command("ls", "List files of a sandbox") { id, path };
        command.SetAction((parsed, cancellation) =>
            parsed.GetValue(id) is { } sandbox
                ? RunAsync(parsed, sandbox, parsed.GetRequiredValue(path), cancellation)
                : ListCommand.RunAsync(parsed, owner: null, quiet: false, cancellation));
        return command;
    }

    private static async Task RunAsync(ParseResult parsed, string id, string path, CancellationToken cancellation)
    {
        using StacyClient client = GlobalOptions.ClientOf(parsed);
        Sandbox sandbox = client.Refer(id);
        FileInfo entry = await sandbox.StatFileAsync(path, cancellation);
        List<FileInfo> entries = entry.IsDir ? [.. await sandbox.ListFilesAsync(path, cancellation)] : [entry];
        if (parsed.GetValue(GlobalOptions.Json))
        {
            Printer.Json(entries, RestJson.Default.ListFileInfo);
            return;
        }
        var table = new TextTable("MODE", "SIZE", "MODIFIED", "NAME");
        foreach (FileInfo file in entries)
        {
            string kind = file.IsDir ? "/" : file.Type == "symlink" ? "@" : "";
            table.Add(file.Mode, Printer.Size(file.Size), file.ModTime.ToLocalTime().ToString("yyyy-MM-dd HH:mm:ss", null), file.Name + kind);
        }
        Console.Out.Write(table);
    }
}
