using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>The parts of the provider, put together from its options.</summary>
internal sealed class DockerSetup : IDisposable
{
    private DockerSetup(DockerEndpoint endpoint, DockerUser user, string seccomp, AgentHost host, DockerOptions options, ILogger logger)
    {
        User = user;
        Seccomp = seccomp;
        Daemon = new DockerDaemon(endpoint);
        Images = new DockerImages(Daemon, logger);
        Containers = new DockerContainers(Daemon, new ContainerSettings(options), host.InstallationId);
        Checkpoints = new DockerCheckpoints(host, Daemon, Containers, Images);
        Launch = new ContainerLaunch(host, this, logger);
        Proof = new DockerProof(host, this, options, logger);
        Probe = new DockerProbe(this, options, logger);
    }

    public DockerUser User { get; }

    /// <summary>Text of the profile, where the daemon takes one.</summary>
    public string Seccomp { get; }

    public DockerDaemon Daemon { get; }

    public DockerImages Images { get; }

    public DockerContainers Containers { get; }

    public DockerCheckpoints Checkpoints { get; }

    public ContainerLaunch Launch { get; }

    public DockerProof Proof { get; }

    public DockerProbe Probe { get; }

    /// <exception cref="FormatException">An option cannot be used; the message names it.</exception>
    public static DockerSetup Make(AgentHost host, DockerOptions options, ILogger logger) =>
        new(
            DockerEndpoint.Resolve(options.Socket, Environment.GetEnvironmentVariable),
            DockerUser.Parse(options.User),
            SeccompProfile.Read(options.SeccompProfile),
            host,
            options,
            logger);

    public void Dispose() => Daemon.Dispose();
}
