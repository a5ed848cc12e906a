using System.Globalization;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Docker;
using StacyVM.Tests.Conformance;
using Xunit;

namespace StacyVM.Tests.Providers.Docker;

/// <summary>A daemon that shares our files.</summary>
[Collection(DockerTests.Name)]
public sealed class DockerConformance(ThrowawayDaemon daemon) : DockerConformanceOverBothRoutes(daemon)
{
    protected override string Address => Daemon.Socket;
}

/// <summary>The same daemon by TCP: agents are uploaded and reached through exec.</summary>
[Collection(DockerTests.Name)]
public sealed class DockerRemoteConformance(ThrowawayDaemon daemon) : DockerConformanceOverBothRoutes(daemon)
{
    protected override string Address => Daemon.Tcp;
}

public abstract class DockerConformanceOverBothRoutes(ThrowawayDaemon daemon) : ProviderConformance
{
    protected ThrowawayDaemon Daemon { get; } = daemon;

    protected abstract string Address { get; }

    protected override string Image => TestImages.Busybox;

    private protected override Task<string?> MissingAsync()
    {
        Daemon.Require();
        return Task.FromResult<string?>(null);
    }

    private protected override ISandboxProvider Make(AgentHost host) =>
        new DockerProvider(host, new DockerOptions { Socket = Address }, NullLogger.Instance);

    private protected override async Task<IReadOnlyList<string>> RemainsAsync()
    {
        IList<ContainerListResponse> containers = await Daemon.ContainersAsync();
        VolumesListResponse volumes = await Daemon.Client.Volumes.ListAsync(CancellationToken.None);
        return
        [
            .. containers.Select(container => $"container {container.Names?[0]} {container.State}"),
            .. (volumes.Volumes ?? []).Select(volume => $"volume {volume.Name}"),
        ];
    }

    protected override IReadOnlyList<string> EchoServer(int port) => Serve(port, $"nc -ll -p {port} -e cat");

    protected override IReadOnlyList<string> WebServer(int port) =>
        Serve(port, $"mkdir -p www && printf hello >www/index.html && httpd -f -p {port} -h www");

    /// <summary>Says so when the kernel has the port among those that are listened on.</summary>
    private static IReadOnlyList<string> Serve(int port, string server) =>
    [
        "sh", "-c",
        $"({server}) & until grep -q ':{port.ToString("X4", CultureInfo.InvariantCulture)} [0-9A-F]*:0000 0A' /proc/net/tcp /proc/net/tcp6; do usleep 1000; done; echo ready; wait",
    ];
}
