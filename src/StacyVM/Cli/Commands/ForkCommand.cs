using System.CommandLine;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class ForkCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var count = new Option<int>("--count", "-n") { Description = "How many copies, 1 to 100", DefaultValueFactory = _ => 1 };
        Option<string?> ttl = CommonArguments.Duration("--ttl", "Time to live of each [default: the server's]");
        Option<string[]> metadata = CommonArguments.Pairs("--metadata", "-m", "Kept with each copy; may be repeated");
        var command = new Command("fork", "Copy a running sandbox") { id, count, ttl, metadata };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            SandboxFork fork = await client.Refer(parsed.GetRequiredValue(id)).ForkAsync(
                parsed.GetValue(count), parsed.GetValue(ttl), CommonArguments.ToDictionary(parsed.GetValue(metadata)), cancellation);
            if (parsed.GetValue(GlobalOptions.Json))
                Printer.Json(new ForkResult { Sandboxes = [.. fork.Sandboxes.Select(one => one.Info!)], Failures = fork.Failures.Count == 0 ? null : fork.Failures }, RestJson.Default.ForkResult);
            else
            {
                foreach (Sandbox copy in fork.Sandboxes)
                    Console.Out.WriteLine(copy.Id);
            }
            foreach (ForkFailure failure in fork.Failures)
                Console.Error.WriteLine(TextTable.Visible($"a copy did not come: {failure.Message}"));
            return fork.Failures.Count == 0 ? 0 : 1;
        });
        return command;
    }
}
