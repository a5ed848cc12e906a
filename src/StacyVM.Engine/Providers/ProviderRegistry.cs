using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Providers;

/// <summary>
/// The configured providers and what is known of their health. Probes run in the background, at most one a provider every 30 seconds; a
/// reader gets what is known and never waits for a slow level, except for the first answer.
/// </summary>
internal sealed class ProviderRegistry
{
    /// <summary>In the order of configuration.</summary>
    public IReadOnlyList<string> Names => throw new NotSupportedException();

    /// <summary>Every provider's health as known now; waits only for those never probed.</summary>
    public Task<IReadOnlyList<ProviderInfo>> HealthAsync(CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>One provider's health as known now.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderNotFound"/>, naming those that exist.</exception>
    public Task<ProviderInfo> HealthAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>Probes now, for <c>POST /providers/test</c>.</summary>
    public Task<ProviderInfo> ProbeAsync(string name, CancellationToken cancellation) => throw new NotSupportedException();

    /// <summary>The provider's public settings and health; <see cref="ProviderDetail.SandboxCount"/> is the caller's to know.</summary>
    public Task<ProviderDetail> DetailAsync(string name, int sandboxCount, CancellationToken cancellation) => throw new NotSupportedException();
}
