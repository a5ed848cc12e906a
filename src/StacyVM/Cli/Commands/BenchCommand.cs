using System.CommandLine;
using StacyVM.Protocol.Problems;

namespace StacyVM.Cli.Commands;

internal static class BenchCommand
{
    public static Command Create()
    {
        var command = new Command("bench", "Measure this machine");
        command.SetAction(int (_) => throw new StacyVMException(ProblemKind.Unsupported, "the bench is not part of this build"));
        return command;
    }
}
