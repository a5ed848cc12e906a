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

    /// <summary>There the workspace is a part of the container.</summary>
    protected override bool KeepsLayout => false;
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
            .. (await Daemon.Client.Images.ListImagesAsync(new ImagesListParameters(), CancellationToken.None)).SelectMany(image => image.RepoTags ?? []).Where(tag => tag.StartsWith("stacyvm-checkpoint", StringComparison.Ordinal)).Select(tag => $"image {tag}"),
            .. containers.Select(container => $"container {container.Names?[0]} {container.State}"),
            .. (volumes.Volumes ?? []).Select(volume => $"volume {volume.Name}"),
        ];
    }

    protected override IReadOnlyList<string> EchoServer(int port) => BusyboxServers.Echo(port);

    protected override IReadOnlyList<string> WebServer(int port) => BusyboxServers.Web(port);
}
