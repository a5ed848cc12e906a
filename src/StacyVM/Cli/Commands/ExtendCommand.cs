using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class ExtendCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var ttl = new Argument<string>("ttl") { Description = "Time to live from now on, such as 30m or 2h", DefaultValueFactory = _ => "30m" };
        ttl.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string?>() is { } text && !GoDuration.TryParse(text, out _))
                result.AddError($"'{text}' is not a duration; write for example 30m or 2h");
        });
        var command = new Command("extend", "Let a sandbox live longer") { id, ttl };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            Sandbox sandbox = client.Refer(parsed.GetRequiredValue(id));
            await sandbox.ExtendTtlAsync(parsed.GetRequiredValue(ttl), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(sandbox.Info!, RestJson.Default.SandboxInfo);
            else
                Console.Out.WriteLine($"Sandbox {sandbox.Id} expires at {Printer.Clock(sandbox.ExpiresAt!.Value)}");
        });
        return command;
    }
}
