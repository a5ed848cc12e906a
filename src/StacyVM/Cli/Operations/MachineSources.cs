using System.CommandLine;
using StacyVM.Engine.Configuration;

namespace StacyVM.Cli.Operations;

/// <summary>The configuration that a server on this machine would have, as the options of the command line name it.</summary>
internal static class MachineSources
{
    /// <param name="parsed">Of the command line.</param>
    /// <param name="file">A file that is named more precisely than by <c>--config</c>; null: that one.</param>
    public static ConfigurationSources Of(ParseResult parsed, string? file = null)
    {
        var flags = new Dictionary<string, string>();
        if (parsed.GetValue(GlobalOptions.DataDir) is { } directory)
            flags["data_dir"] = directory;
        return ConfigurationSources.OfProcess(file ?? parsed.GetValue(GlobalOptions.Config), flags);
    }
}
