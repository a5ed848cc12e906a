using System.Security.Cryptography;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Providers;

namespace StacyVM.Engine.Checks;

/// <summary>Probes every configured level as a server does, in a data directory of its own, so that a server beside it notices nothing.</summary>
internal static class LevelProbe
{
    public static async Task<IReadOnlyList<Level>> RunAsync(StacyOptions options, Func<Stream> agentProgram, ILoggerFactory loggers)
    {
        string directory = MakeDirectory(options.DataDir);
        try
        {
            await using AgentHost agents = await AgentHost.OpenAsync(directory, agentProgram, loggers).ConfigureAwait(false);
            using var images = new ImageStore(directory, options.Images, loggers.CreateLogger<ImageStore>(), TimeProvider.System);
            return await Task.WhenAll(StacyEngine.Configured(options.Providers, images).Select(make => ProbeAsync(make(agents, loggers)))).ConfigureAwait(false);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    private static async Task<Level> ProbeAsync(ISandboxProvider provider)
    {
        ProviderProbe.Finding finding = await new ProviderProbe(provider, TimeProvider.System).ProbeAsync().ConfigureAwait(false);
        await StacyEngine.LetGoAsync(provider).ConfigureAwait(false);
        return new Level(provider.Name, finding.Health, finding.Latency);
    }

    /// <summary>Inside the data directory where that is there and ours, because its file system has to carry sandboxes; else among temporary files.</summary>
    private static string MakeDirectory(string dataDirectory)
    {
        string name = "doctor-" + RandomNumberGenerator.GetHexString(8, lowercase: true);
        if (Directory.Exists(dataDirectory))
        {
            try
            {
                string inside = Path.Combine(dataDirectory, name);
                AgentHost.MakePassage(inside);
                return inside;
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // Another user's, or a full disk: the check of the data directory says so.
            }
        }
        string apart = Path.Combine(Path.GetTempPath(), "stacyvm-" + name);
        AgentHost.MakePassage(apart);
        return apart;
    }
}
