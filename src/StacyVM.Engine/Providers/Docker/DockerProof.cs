using System.Formats.Tar;
using Docker.DotNet;
using Docker.DotNet.Models;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// Proves once that sandboxes work on this daemon, by making one from an empty image, and learns on the way how agents are reached: a
/// daemon behind a Unix socket shares our files, or it runs in a machine of its own.
/// </summary>
internal sealed class DockerProof(AgentHost host, DockerSetup setup, DockerOptions options, ILogger logger)
{
    /// <summary>Of the empty image's name; it exists during a proof.</summary>
    public const string ImagePrefix = "stacyvm-probe-";

    private readonly SemaphoreSlim _one = new(1);
    private volatile ProvedDaemon? _proved;

    /// <summary>What was found; proves it now when that has not succeeded yet.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>, saying what does not work.</exception>
    public async Task<ProvedDaemon> GetAsync(CancellationToken cancellation)
    {
        if (_proved is { } known)
            return known;
        await _one.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            return _proved ??= await ProveAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            _one.Release();
        }
    }

    private async Task<ProvedDaemon> ProveAsync(CancellationToken cancellation)
    {
        SystemInfoResponse info = await setup.Daemon.QuickAsync((client, limited) => client.System.GetSystemInfoAsync(limited), cancellation).ConfigureAwait(false);
        string? seccomp = (info.SecurityOptions ?? []).Any(option => option.StartsWith("name=seccomp", StringComparison.Ordinal)) ? setup.Seccomp : null;
        string name = ImagePrefix + host.InstallationId.ToLowerInvariant();
        await ImportEmptyAsync(name, cancellation).ConfigureAwait(false);
        try
        {
            if (setup.Daemon.Endpoint.MayShareFiles)
            {
                var local = new ProvedDaemon(AgentRoute.Socket, WorkspaceFor(info), seccomp);
                if (await TryAsync(name, local, cancellation).ConfigureAwait(false) is not { } refused)
                    return local;
                DockerLog.NotShared(logger, setup.Daemon.Endpoint.ToString(), refused.Message);
            }
            var remote = new ProvedDaemon(AgentRoute.Exec, options.ReadOnlyRootfs ? WorkspaceKind.Memory : WorkspaceKind.Layer, seccomp);
            return await TryAsync(name, remote, cancellation).ConfigureAwait(false) is not { } failure
                ? remote
                : throw new StacyVMException(ProblemKind.ProviderUnavailable, $"a trial container on the Docker daemon at {setup.Daemon.Endpoint} failed: {failure.Message}", failure);
        }
        finally
        {
            await RemoveImageAsync(name).ConfigureAwait(false);
        }
    }

    /// <summary>A directory of ours serves when its owner's number means the same to the daemon, and we may give it to that owner.</summary>
    private WorkspaceKind WorkspaceFor(SystemInfoResponse info)
    {
        bool sameNumbers = !(info.SecurityOptions ?? []).Any(option => option.Contains("name=userns", StringComparison.Ordinal) || option.Contains("name=rootless", StringComparison.Ordinal));
        uint self = Libc.GetEffectiveUserId();
        if (sameNumbers && (self == 0 || (self == setup.User.Uid && Libc.GetEffectiveGroupId() == setup.User.Gid)))
            return WorkspaceKind.Bound;
        return options.ReadOnlyRootfs ? WorkspaceKind.Memory : WorkspaceKind.Layer;
    }

    /// <returns>Null for success.</returns>
    private async Task<StacyVMException?> TryAsync(string name, ProvedDaemon way, CancellationToken cancellation)
    {
        var spec = new SandboxSpec { Image = name, MemoryMb = 64, Vcpus = 1, DiskMb = 16 };
        Dictionary<string, string> labels = DockerLabels.For(name, name, spec, host.InstallationId, way.Route);
        labels[DockerLabels.Probe] = "true";
        var plan = new ContainerPlan
        {
            Id = name,
            Spec = spec,
            Image = new DockerImage(name, NamesHome: false),
            User = setup.User,
            Token = AgentHost.NewToken(),
            Route = way.Route,
            Workspace = way.Workspace,
            Seccomp = way.Seccomp,
            Labels = labels,
            AgentPath = host.AgentPath,
            SandboxDirectory = host.SandboxDirectory(name),
        };
        try
        {
            (_, IAgentLink link) = await setup.Launch.RunAsync(plan, cancellation).ConfigureAwait(false);
            await link.DisposeAsync().ConfigureAwait(false);
            await setup.Launch.RemoveAsync(name, CancellationToken.None).ConfigureAwait(false);
            DockerLog.Proved(logger, setup.Daemon.Endpoint.ToString(), way.Route);
            return null;
        }
        catch (StacyVMException e) when (e.Kind != ProblemKind.ProviderUnavailable)
        {
            return e;
        }
    }

    private async Task ImportEmptyAsync(string name, CancellationToken cancellation)
    {
        using var tar = new MemoryStream();
        await using (var writer = new TarWriter(tar, TarEntryFormat.Ustar, leaveOpen: true))
            await writer.WriteEntryAsync(new UstarTarEntry(TarEntryType.Directory, ContainerSettings.Home[1..] + "/"), cancellation).ConfigureAwait(false);
        tar.Position = 0;
        try
        {
            await setup.Daemon.SlowAsync(
                (client, limited) => client.Images.CreateImageAsync(
                    new ImagesCreateParameters { FromSrc = "-", Repo = name, Tag = "latest" }, tar, authConfig: null!, new Ignored(), limited),
                cancellation).ConfigureAwait(false);
        }
        catch (DockerApiException e)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the Docker daemon at {setup.Daemon.Endpoint} takes no image: {DockerDaemon.Message(e)}", e);
        }
    }

    private async Task RemoveImageAsync(string name)
    {
        try
        {
            await setup.Daemon.SlowAsync(
                (client, limited) => client.Images.DeleteImageAsync(name, new ImageDeleteParameters { Force = true }, limited), CancellationToken.None).ConfigureAwait(false);
        }
        catch (Exception e) when (e is DockerApiException or StacyVMException)
        {
            DockerLog.CleanupFailed(logger, name, e.Message);
        }
    }

    private sealed class Ignored : IProgress<JSONMessage>
    {
        public void Report(JSONMessage value)
        {
        }
    }
}

/// <summary>How sandboxes are made on a daemon.</summary>
/// <param name="Route">How agents are reached.</param>
/// <param name="Workspace">Where workspaces lie.</param>
/// <param name="Seccomp">The profile's text; null where the daemon has no seccomp.</param>
internal sealed record ProvedDaemon(AgentRoute Route, WorkspaceKind Workspace, string? Seccomp);
