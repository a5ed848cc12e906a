using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class ListCommand
{
    public static Command Create()
    {
        var owner = new Option<string?>("--owner") { Description = "Only those of this owner" };
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print only ids" };
        var command = new Command("list", "List sandboxes") { owner, quiet };
        command.Aliases.Add("ps");
        command.SetAction((parsed, cancellation) => RunAsync(parsed, parsed.GetValue(owner), parsed.GetValue(quiet), cancellation));
        return command;
    }

    public static async Task RunAsync(ParseResult parsed, string? owner, bool quiet, CancellationToken cancellation)
    {
        using StacyClient client = GlobalOptions.ClientOf(parsed);
        List<SandboxInfo> all = [.. (await client.ListAsync(cancellation)).Where(info => owner is null || info.OwnerId == owner)];
        if (parsed.GetValue(GlobalOptions.Json))
        {
            Printer.Json(all, RestJson.Default.ListSandboxInfo);
            return;
        }
        if (quiet)
        {
            foreach (SandboxInfo info in all)
                Console.Out.WriteLine(info.Id);
            return;
        }
        if (all.Count == 0)
        {
            Console.Out.WriteLine("No active sandboxes");
            return;
        }
        var table = new TextTable("ID", "STATE", "PROVIDER", "IMAGE", "CREATED", "EXPIRES");
        foreach (SandboxInfo info in all)
            table.Add(info.Id, info.State, info.Provider, info.Image, Printer.Clock(info.CreatedAt), Printer.Clock(info.ExpiresAt));
        Console.Out.Write(table);
    }
}
