using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Bubblewrap;
using StacyVM.Tests.Conformance;

namespace StacyVM.Tests.Providers.Bubblewrap;

public sealed class BubblewrapConformance : ProviderConformance
{
    private protected override ISandboxProvider Make(AgentHost host) => new BubblewrapProvider(host, TestStore.Of(host), new BubblewrapOptions(), NullLoggerFactory.Instance);

    protected override IReadOnlyList<string> EchoServer(int port) => ["/usr/bin/python3", .. base.EchoServer(port).Skip(1)];
}
