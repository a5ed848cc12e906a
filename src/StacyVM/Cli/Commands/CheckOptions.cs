using System.CommandLine;

namespace StacyVM.Cli.Commands;

/// <summary>Options that several commands of checks have.</summary>
internal static class CheckOptions
{
    public static Option<bool> Production() => new("--production") { Description = "Fail on what is only a warning elsewhere" };

    public static Option<string?> Database() => new("--database") { Description = "Database file [default: that of the configuration]", HelpName = "file" };
}
