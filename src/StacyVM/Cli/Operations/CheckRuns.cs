using StacyVM.Cli.Serve;
using StacyVM.Engine.Checks;
using StacyVM.Engine.Configuration;

namespace StacyVM.Cli.Operations;

/// <summary>Runs checks and prints them.</summary>
internal static class CheckRuns
{
    public static int Lint(ConfigurationSources sources, bool production, bool json) =>
        CheckPrinter.Print(ConfigurationLint.Run(sources, production), "config lint", json);

    public static async Task<int> DoctorAsync(ConfigurationSources sources, bool production, bool json)
    {
        EmbeddedAgent.Require();
        return CheckPrinter.Print(await Doctor.RunAsync(sources, production, EmbeddedAgent.Open), "doctor", json);
    }
}
