using System.CommandLine;
using StacyVM.Cli.Completion;

namespace StacyVM.Cli.Commands;

internal static class CompletionCommand
{
    public static Command Create()
    {
        var shell = new Argument<string>("shell") { Description = string.Join(", ", CompletionScripts.Shells) };
        shell.AcceptOnlyFromAmong(CompletionScripts.Shells);
        var command = new Command("completion", "Print the completion script of a shell") { shell };
        command.SetAction(parsed => Console.Out.Write(CompletionScripts.Of(parsed.GetRequiredValue(shell))));
        return command;
    }
}
