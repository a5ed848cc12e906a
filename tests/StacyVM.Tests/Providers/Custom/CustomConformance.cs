using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Custom;
using StacyVM.Tests.Conformance;
using Xunit;

namespace StacyVM.Tests.Providers.Custom;

/// <summary>The contract for backends through the reference backend. It carries neither input nor terminals, signals, ports nor statistics.</summary>
public sealed class CustomConformance(ExampleBackend backend) : ProviderConformance, IClassFixture<ExampleBackend>
{
    protected override bool Isolates => false;

    protected override bool LimitsProcesses => false;

    protected override bool LimitsMemory => false;

    protected override bool TakesInput => false;

    protected override bool HasTerminals => false;

    protected override bool SendsSignals => false;

    protected override bool KeepsProcesses => false;

    protected override bool ForwardsPorts => false;

    protected override bool ReportsUsage => false;

    protected override bool HasAgent => false;

    private protected override ISandboxProvider Make(AgentHost host) => new CustomProvider(host, backend.Options);

    private protected override Task<IReadOnlyList<string>> RemainsAsync() =>
        Task.FromResult<IReadOnlyList<string>>([.. Directory.EnumerateFileSystemEntries(backend.Root).Select(path => $"of the backend: {path}")]);
}
