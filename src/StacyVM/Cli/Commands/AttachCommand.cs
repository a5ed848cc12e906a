using System.CommandLine;
using StacyVM.Cli.Terminal;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class AttachCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var process = new Argument<long>("process") { Description = "Number from: stacyvm processes <id>" };
        var offset = new Option<long>("--offset") { Description = "Skip so many bytes of its output" };
        var input = new Option<bool>("--interactive", "-i") { Description = "Feed stdin to it" };
        var terminal = new Option<bool>("--tty", "-t") { Description = "It runs on a terminal: use this one for it" };
        var command = new Command("attach", "Follow a process of a sandbox: its output from the start, then what comes; exits with its exit code")
        {
            offset, input, terminal, id, process,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            await using ExecSession session = await client.Refer(parsed.GetRequiredValue(id))
                .AttachAsync(parsed.GetValue(process), parsed.GetValue(offset), cancellation);
            return await new SessionConsole(session).RunAsync(parsed.GetValue(input), parsed.GetValue(terminal), closeInput: false, cancellation);
        });
        return command;
    }
}
