using System.CommandLine;
using StacyVM.Cli.Completion;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class SpawnCommand
{
    public static Command Create()
    {
        var template = new Option<string?>("--template") { Description = "Start from this template; other options win over it" };
        template.CompletionSources.Add(ServerCompletion.Templates);
        var checkpoint = new Option<string?>("--checkpoint") { Description = "Start from this checkpoint instead of an image" };
        var image = new Option<string?>("--image") { Description = "Image [default: the server's]" };
        var provider = new Option<string?>("--provider") { Description = "Isolation level [default: the server's]" };
        provider.CompletionSources.Add(ServerCompletion.Providers);
        Option<string?> ttl = CommonArguments.Duration("--ttl", "Time to live [default: the server's]");
        var memory = new Option<int>("--memory") { Description = "Memory limit in MB [default: the server's]" };
        var vcpus = new Option<int>("--vcpus") { Description = "Processors [default: the server's]" };
        var owner = new Option<string?>("--owner") { Description = "Whose it is" };
        Option<string[]> metadata = CommonArguments.Pairs("--metadata", "-m", "Kept with the sandbox; may be repeated");
        var quiet = new Option<bool>("--quiet", "-q") { Description = "Print only the id" };
        var trial = new Option<bool>("--dry-run") { Description = "Start nothing; say whether it would be started, and exit with 0 if so" };
        var command = new Command("spawn", "Start a sandbox") { template, checkpoint, image, provider, ttl, memory, vcpus, owner, metadata, quiet, trial };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            var request = new SpawnRequest
            {
                Template = parsed.GetValue(template),
                Checkpoint = parsed.GetValue(checkpoint),
                Image = parsed.GetValue(image),
                Provider = parsed.GetValue(provider),
                Ttl = parsed.GetValue(ttl),
                MemoryMb = parsed.GetValue(memory) is not 0 and var mb ? mb : null,
                Vcpus = parsed.GetValue(vcpus) is not 0 and var count ? count : null,
                OwnerId = parsed.GetValue(owner),
                Metadata = CommonArguments.ToDictionary(parsed.GetValue(metadata)),
            };
            if (parsed.GetValue(trial))
                return await SpawnTrial.RunAsync(parsed, client, request, cancellation);
            Sandbox sandbox = await client.SpawnAsync(request, cancellation);
            Print(parsed, sandbox, parsed.GetValue(quiet));
            return 0;
        });
        return command;
    }

    public static void Print(ParseResult parsed, Sandbox sandbox, bool quiet)
    {
        if (parsed.GetValue(GlobalOptions.Json))
            Printer.Json(sandbox.Info!, RestJson.Default.SandboxInfo);
        else if (quiet)
            Console.Out.WriteLine(sandbox.Id);
        else
            Console.Out.WriteLine($"Sandbox {sandbox.Id} spawned (provider: {sandbox.Provider}, image: {sandbox.Image})");
    }
}
