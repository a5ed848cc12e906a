using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Tries the level and says what is enforced.</summary>
internal sealed class DockerProbe(DockerSetup setup, DockerOptions options, ILogger logger)
{
    /// <summary>The name under which a runtime with known holes is told.</summary>
    public const string OldRuntime = "runtime";

    private bool _warned;

    public async Task<ProviderHealth> RunAsync(CancellationToken cancellation)
    {
        try
        {
            // 1. Does it answer, and is it of our kind?
            SystemInfoResponse info = await setup.Daemon.QuickAsync((client, limited) => client.System.GetSystemInfoAsync(limited), cancellation).ConfigureAwait(false);
            if (Unfit(info) is { } fault)
                return new ProviderHealth(false, fault);

            // 2. Does a sandbox come to life?
            ProvedDaemon proved = await setup.Proof.GetAsync(cancellation).ConfigureAwait(false);

            // 3. What holds?
            Dictionary<string, string> enforced = Enforcement.Of(info, options, setup.User, proved);
            List<string> gaps = [.. Enforcement.Gaps(info, options, proved)];
            if (RuntimeVersion.Warning(info) is { } warning)
            {
                enforced[OldRuntime] = warning;
                gaps.Add(OldRuntime);
                if (!Interlocked.Exchange(ref _warned, true))
                    DockerLog.HostWarning(logger, warning);
            }
            return new ProviderHealth(true, Enforced: enforced, Images: await setup.Images.ListAsync(cancellation).ConfigureAwait(false)) { Gaps = gaps };
        }
        catch (StacyVMException e)
        {
            return new ProviderHealth(false, e.Message);
        }
    }

    private string? Unfit(SystemInfoResponse info)
    {
        if (info.OSType is { Length: > 0 } system && system != "linux")
            return $"the Docker daemon at {setup.Daemon.Endpoint} runs {system} containers; sandboxes need Linux";
        if (info.Runtimes is { } runtimes && options.Runtime.Length > 0 && !runtimes.ContainsKey(options.Runtime))
            return $"the Docker daemon has no runtime '{options.Runtime}' (it has {string.Join(", ", runtimes.Keys.Order(StringComparer.Ordinal))}); {RuntimeAdvice.For(options.Runtime)}";
        return null;
    }
}
