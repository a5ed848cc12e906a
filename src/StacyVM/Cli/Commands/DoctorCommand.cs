using System.CommandLine;
using StacyVM.Cli.Operations;

namespace StacyVM.Cli.Commands;

internal static class DoctorCommand
{
    public static Command Create()
    {
        Option<bool> production = CheckOptions.Production();
        var command = new Command("doctor", "Try what a server needs on this machine: keys, data, database, kernel, isolation levels") { production };
        command.SetAction((parsed, _) => CheckRuns.DoctorAsync(MachineSources.Of(parsed), parsed.GetValue(production), parsed.GetValue(GlobalOptions.Json)));
        return command;
    }
}
