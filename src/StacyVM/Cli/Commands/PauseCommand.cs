using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class PauseCommand
{
    public static Command Create() =>
        Create("pause", "Let a sandbox stand still until it is resumed; its time to live runs on", static (sandbox, cancellation) => sandbox.PauseAsync(cancellation));

    public static Command CreateResume() =>
        Create("resume", "Let a paused sandbox run again", static (sandbox, cancellation) => sandbox.ResumeAsync(cancellation));

    private static Command Create(string name, string description, Func<Sandbox, CancellationToken, Task> change)
    {
        Argument<string> id = CommonArguments.SandboxId();
        var command = new Command(name, description) { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Sandbox sandbox = client.Refer(parsed.GetRequiredValue(id));
            await change(sandbox, cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(sandbox.Info!, RestJson.Default.SandboxInfo);
            else
                Console.Out.WriteLine($"Sandbox {sandbox.Id} is {sandbox.State}");
        });
        return command;
    }
}
