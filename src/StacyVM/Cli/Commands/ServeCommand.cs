using System.CommandLine;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Commands;

internal static class ServeCommand
{
    public static Command Create()
    {
        var command = new Command("serve", "Run the server");
        command.SetAction(int (_) => throw new StacyVMException(ProblemKind.Unsupported, "the server is not part of this build"));
        return command;
    }
}
