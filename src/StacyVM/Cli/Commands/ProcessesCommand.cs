using System.CommandLine;
using System.Globalization;
using StacyVM.Cli.Output;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Commands;

internal static class ProcessesCommand
{
    public static Command Create()
    {
        Argument<string> id = CommonArguments.SandboxId();
        var command = new Command("processes", "List what runs, and ran lately, in a sandbox") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using StacyClient client = GlobalOptions.ClientOf(parsed);
            List<ProcessInfo> all = [.. await client.Refer(parsed.GetRequiredValue(id)).ProcessesAsync(cancellation)];
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(all, RestJson.Default.ListProcessInfo);
                return;
            }
            var table = new TextTable("PROCESS", "PID", "STATE", "STARTED", "OUTPUT", "COMMAND");
            foreach (ProcessInfo process in all)
            {
                table.Add(
                    process.ProcessId.ToString(CultureInfo.InvariantCulture),
                    process.Pid.ToString(CultureInfo.InvariantCulture),
                    process.Running ? "running" : $"exit {process.ExitCode}",
                    process.StartedAt is { } started ? Printer.Clock(started) : "-",
                    Printer.Size(process.OutputBytes ?? 0),
                    process.Command);
            }
            Console.Out.Write(table);
        });
        return command;
    }
}
