using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Mock;

namespace StacyVM.Tests.Conformance;

public sealed class MockConformance : ProviderConformance
{
    protected override bool Isolates => false;

    protected override bool LimitsProcesses => false;

    protected override bool LimitsMemory => false;

    private protected override ISandboxProvider Make(AgentHost host) => new MockProvider(host);
}
