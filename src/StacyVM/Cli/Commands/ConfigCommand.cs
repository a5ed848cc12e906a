using System.CommandLine;
using StacyVM.Cli.Operations;
using StacyVM.Cli.Output;
using StacyVM.Engine.Configuration;

namespace StacyVM.Cli.Commands;

internal static class ConfigCommand
{
    public static Command Create() => new("config", "Look at the configuration of this machine's server") { Show(), Lint() };

    private static Command Show()
    {
        var origin = new Option<bool>("--origin") { Description = "Say where each value comes from" };
        var command = new Command("show", "Print every value that a server would have; secrets only as set or not") { origin };
        command.SetAction(parsed =>
        {
            LoadedConfiguration loaded = ConfigurationLoader.Load(MachineSources.Of(parsed));
            var shown = new ShownConfiguration(loaded.File, [.. ShownValue.Of(loaded)]);
            if (parsed.GetValue(GlobalOptions.Json))
            {
                Printer.Json(shown, CliJson.Default.ShownConfiguration);
                return;
            }
            bool origins = parsed.GetValue(origin);
            var table = new TextTable(origins ? ["KEY", "VALUE", "ORIGIN"] : ["KEY", "VALUE"]);
            foreach (ShownValue value in shown.Values)
            {
                string[] cells = [value.Key, value.Value.Length == 0 ? "-" : value.Value, value.Origin ?? value.Layer];
                table.Add(origins ? cells : cells[..2]);
            }
            Console.Out.Write(table);
        });
        return command;
    }

    private static Command Lint()
    {
        var file = new Option<string?>("--file") { Description = "File to check [default: as --config]", HelpName = "file" };
        Option<bool> production = CheckOptions.Production();
        var command = new Command("lint", "Check the configuration for what an operator should know") { file, production };
        command.SetAction(parsed => CheckRuns.Lint(MachineSources.Of(parsed, parsed.GetValue(file)), parsed.GetValue(production), parsed.GetValue(GlobalOptions.Json)));
        return command;
    }
}
