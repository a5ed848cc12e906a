using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Bubblewrap;
using StacyVM.Tests.Conformance;

namespace StacyVM.Tests.Providers.Bubblewrap;

/// <summary>The same level with the root of an image in the place of the host's programs.</summary>
public sealed class BubblewrapImageConformance : ProviderConformance
{
    protected override string Image => TestStore.Busybox;

    private protected override ISandboxProvider Make(AgentHost host)
    {
        ImageStore images = TestStore.Of(host);
        TestStore.AddBusybox(images);
        return new BubblewrapProvider(host, images, new BubblewrapOptions(), NullLoggerFactory.Instance);
    }

    protected override IReadOnlyList<string> EchoServer(int port) => BusyboxServers.Echo(port);

    protected override IReadOnlyList<string> WebServer(int port) => BusyboxServers.Web(port);
}
