using System.CommandLine;
using StacyVM.Cli.Completion;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class KillCommand
{
    public static Command Create()
    {
        var ids = new Argument<string[]>("id") { Description = "Ids of sandboxes", Arity = ArgumentArity.ZeroOrMore };
        ids.CompletionSources.Add(ServerCompletion.SandboxIds);
        var all = new Option<bool>("--all") { Description = "Every sandbox that you may see" };
        var command = new Command("kill", "Destroy sandboxes") { ids, all };
        command.Aliases.Add("rm");
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            string[] named = parsed.GetValue(ids) ?? [];
            if (named.Length == 0 && !parsed.GetValue(all))
                throw new UsageException("name the sandboxes to destroy, or say --all");
            if (parsed.GetValue(all))
                named = [.. (await client.ListAsync(cancellation)).Select(info => info.Id)];
            return await DestroyAsync(client, named, parsed.GetValue(GlobalOptions.Json), cancellation);
        });
        return command;
    }

    /// <summary>All of them, whatever becomes of some; the exit code is that of the first failure.</summary>
    private static async Task<int> DestroyAsync(StacyClient client, string[] ids, bool json, CancellationToken cancellation)
    {
        var pending = ids.Select(id => (Id: id, Done: client.Refer(id).DestroyAsync(cancellation))).ToList();
        int exitCode = 0;
        foreach ((string id, Task done) in pending)
        {
            try
            {
                await done;
                if (json)
                    Printer.Json(new StatusBody { Status = "destroyed" }, RestJson.Default.StatusBody);
                else
                    Console.Out.WriteLine($"Sandbox {id} destroyed");
            }
            catch (StacyVMException fault)
            {
                int code = ErrorBlock.Write(fault, json);
                exitCode = exitCode == 0 ? code : exitCode;
            }
        }
        return exitCode;
    }
}
