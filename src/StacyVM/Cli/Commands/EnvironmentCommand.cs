using System.CommandLine;
using System.CommandLine.Help;

namespace StacyVM.Cli.Commands;

/// <summary><c>environment</c>: the verbs on custom images.</summary>
internal static class EnvironmentCommand
{
    public static Command Create()
    {
        var command = new Command("environment", "Custom images, built from Python and Debian packages by the server's Docker engine")
        {
            EnvironmentSpecCommand.Create(),
            EnvironmentBuildCommand.Create(),
            EnvironmentRegistryCommand.Create(),
        };
        command.Aliases.Add("env");
        command.SetAction(parsed => new HelpAction().Invoke(parsed));
        return command;
    }

    public static Argument<string> Owner() => new("owner") { Description = "Whose, as in X-User-ID and --owner" };

    public static Argument<string> Id(string of) => new("id") { Description = $"Id of the {of}" };
}
