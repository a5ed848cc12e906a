using System.CommandLine;

namespace StacyVM.Cli.Commands;

internal static class VersionCommand
{
    public static Command Create() => new("version", "Print the version") { Action = new VersionAction() };
}
