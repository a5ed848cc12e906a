using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class PreviewCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var port = new Argument<int>("port") { Description = "Port on which something in the sandbox listens" };
        port.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 1 or > 65535)
                result.AddError("a port lies between 1 and 65535");
        });
        var open = new Option<bool>("--open") { Description = "Fetch the page and print it" };
        Option<string?> wait = CommonArguments.Duration("--wait", "Wait until the port answers, at most so long");
        var path = new Option<string>("--path") { Description = "What to fetch", DefaultValueFactory = _ => "/" };
        var command = new Command("preview", "Print the URL of what a sandbox serves on a port") { id, port, open, wait, path };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Sandbox sandbox = await client.GetAsync(parsed.GetRequiredValue(id), cancellation);
            var preview = new Preview(sandbox, parsed.GetValue(port), parsed.GetRequiredValue(path));
            if (parsed.GetValue(wait) is { } patience)
                await preview.WaitAsync(patience, cancellation);
            if (parsed.GetValue(open))
                return await preview.FetchAsync(cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json([new PortInfo { Port = parsed.GetValue(port), PreviewUrl = sandbox.GetPreviewUrl(parsed.GetValue(port)) }], RestJson.Default.ListPortInfo);
            else
                Console.Out.WriteLine(sandbox.GetPreviewUrl(parsed.GetValue(port)));
            return 0;
        });
        return command;
    }
}
