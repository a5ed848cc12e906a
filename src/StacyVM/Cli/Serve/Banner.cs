using StacyVM.Cli.Commands;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server;

namespace StacyVM.Cli.Serve;

/// <summary>What a person at a terminal wants to know when the server runs: where, on what, and what to type next.</summary>
internal static class Banner
{
    private static readonly TimeSpan ProbePatience = TimeSpan.FromSeconds(5);

    public static async Task ShowAsync(StacyOptions options, StacyServer server, StacyEngine engine, CancellationToken stopping)
    {
        string provider = await ProviderAsync(options, engine, stopping);
        string key = server.KeyFile is { } file ? $"needed; this machine's command line finds it in {file}"
            : server.NeedsKey ? "needed, as configured"
            : "not needed on this machine";
        Console.Out.WriteLine(
            $"""

              StacyVM {VersionAction.Version}

              Address    {string.Join(", ", server.Addresses)}
              Isolation  {provider}
              Key        {key}
              Data       {options.DataDir}

              Next, in another terminal:

                stacyvm spawn
                stacyvm exec <id> -- echo hello

              Ctrl-C stops the server; sandboxes live on until their time is up.

            """);
    }

    private static async Task<string> ProviderAsync(StacyOptions options, StacyEngine engine, CancellationToken stopping)
    {
        try
        {
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            patience.CancelAfter(ProbePatience);
            IReadOnlyList<ProviderInfo> all = await engine.Providers.HealthAsync(patience.Token);
            ProviderInfo? chosen = all.FirstOrDefault(provider => provider.Default);
            if (chosen is { Healthy: false })
                return $"{chosen.Name}, which does not work here: {chosen.Error}";
            return chosen?.Name ?? "none works here; see: stacyvm providers";
        }
        catch (Exception fault) when (fault is OperationCanceledException or StacyVMException)
        {
            return options.Providers.Default + " (still being tried)";
        }
    }
}
