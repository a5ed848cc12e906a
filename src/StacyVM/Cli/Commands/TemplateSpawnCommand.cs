using System.CommandLine;
using StacyVM.Cli.Completion;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class TemplateSpawnCommand
{
    public static Command Create()
    {
        Argument<string> name = CommonArguments.TemplateName();
        var provider = new Option<string?>("--provider") { Description = "Isolation level [default: the template's]" };
        provider.CompletionSources.Add(ServerCompletion.Providers);
        Option<string?> ttl = CommonArguments.Duration("--ttl", "Time to live [default: the template's]");
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print only the id" };
        var command = new Command("spawn", "Start a sandbox from a template") { name, provider, ttl, quiet };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Sandbox sandbox = await client.Templates.SpawnAsync(
                parsed.GetRequiredValue(name), new SpawnRequest { Provider = parsed.GetValue(provider), Ttl = parsed.GetValue(ttl) }, cancellation);
            SpawnCommand.Print(parsed, sandbox, parsed.GetValue(quiet));
        });
        return command;
    }
}
