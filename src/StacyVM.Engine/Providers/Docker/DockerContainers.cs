using System.Net;
using Docker.DotNet;
using Docker.DotNet.Models;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Makes, finds and removes our containers, with the directories that belong to them.</summary>
internal sealed class DockerContainers(DockerDaemon daemon, ContainerSettings settings, string installation)
{
    private static readonly TimeSpan GoneWithin = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromMilliseconds(20);

    /// <summary>
    /// Makes the container and puts into it what it needs; it does not run yet. The request is not abandoned half-way: the daemon would
    /// finish it after we had looked for what to remove.
    /// </summary>
    /// <returns>The daemon's id.</returns>
    public async Task<string> CreateAsync(ContainerPlan plan)
    {
        // 1. The directories that are bound.
        if (plan.Workspace == WorkspaceKind.Bound)
            MakeWorkspace(plan);

        // 2. The container. A name that is taken is a create of ours that was cut off, and gives way.
        CreateContainerParameters parameters = settings.For(plan);
        string container;
        try
        {
            container = await CreateOnceAsync(parameters).ConfigureAwait(false);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.Conflict))
        {
            if (!await RemoveContainersAsync(plan.Id, CancellationToken.None).ConfigureAwait(false))
                throw new StacyVMException(ProblemKind.Conflict, $"the Docker daemon has a container named {plan.Id} that is not ours", e);
            container = await CreateOnceAsync(parameters).ConfigureAwait(false);
        }

        // 3. What is uploaded.
        if (plan.Route == AgentRoute.Exec)
            await UploadAsync(container, ContainerSettings.Home, await AgentUpload.ProgramAsync(plan.AgentPath, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);
        if (plan.Workspace == WorkspaceKind.Layer)
            await UploadAsync(container, "/", await AgentUpload.WorkspaceAsync(plan.User, CancellationToken.None).ConfigureAwait(false)).ConfigureAwait(false);
        return container;
    }

    public Task StartAsync(string container) =>
        daemon.SlowAsync((client, limited) => client.Containers.StartContainerAsync(container, new ContainerStartParameters(), limited), CancellationToken.None);

    /// <summary>Completes when the container does not run.</summary>
    public Task<ContainerWaitResponse> EndedAsync(string container, CancellationToken cancellation) =>
        daemon.LongAsync((client, limited) => client.Containers.WaitContainerAsync(container, limited), cancellation);

    /// <returns>Null when there is no such container.</returns>
    public async Task<ContainerInspectResponse?> InspectAsync(string container, CancellationToken cancellation)
    {
        try
        {
            return await daemon.QuickAsync(
                (client, limited) => client.Containers.InspectContainerAsync(container, limited), cancellation).ConfigureAwait(false);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound))
        {
            return null;
        }
    }

    /// <summary>
    /// All of ours, or those of one sandbox: running, dead and never started. An image can bring labels like ours into a container that
    /// somebody else runs; the name that goes with them it cannot bring.
    /// </summary>
    public async Task<IReadOnlyList<ContainerListResponse>> ListAsync(string? id, CancellationToken cancellation)
    {
        IList<ContainerListResponse> labelled = await daemon.QuickAsync(
            (client, limited) => client.Containers.ListContainersAsync(
                new ContainersListParameters { All = true, Filters = DockerLabels.Filter(installation, id) }, limited),
            cancellation).ConfigureAwait(false);
        return [.. labelled.Where(container =>
            container.Labels is { } labels && labels.TryGetValue(DockerLabels.Sandbox, out string? name) && container.Names?.Contains("/" + name) == true)];
    }

    /// <summary>Kills and removes every container of ours under an id.</summary>
    /// <returns>Whether there was one.</returns>
    public async Task<bool> RemoveContainersAsync(string id, CancellationToken cancellation)
    {
        IReadOnlyList<ContainerListResponse> found = await ListAsync(id, cancellation).ConfigureAwait(false);
        foreach (ContainerListResponse container in found)
            await RemoveContainerAsync(container.ID, cancellation).ConfigureAwait(false);
        return found.Count > 0;
    }

    private async Task RemoveContainerAsync(string container, CancellationToken cancellation)
    {
        long deadline = Environment.TickCount64 + (long)GoneWithin.TotalMilliseconds;
        while (true)
        {
            try
            {
                await daemon.SlowAsync(
                    (client, limited) => client.Containers.RemoveContainerAsync(
                        container, new ContainerRemoveParameters { Force = true, RemoveVolumes = true }, limited),
                    cancellation).ConfigureAwait(false);
                return;
            }
            catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound))
            {
                return;
            }
            catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.Conflict) && Environment.TickCount64 < deadline)
            {
                // Somebody else removes it already: the daemon has no call that waits for that.
                await Task.Delay(BetweenLooks, cancellation).ConfigureAwait(false);
            }
            catch (DockerApiException e)
            {
                throw new StacyVMException(
                    ProblemKind.ProviderUnavailable, $"the Docker daemon could not remove container {container[..12]}: {DockerDaemon.Message(e)}", e);
            }
        }
    }

    private Task<string> CreateOnceAsync(CreateContainerParameters parameters) =>
        daemon.SlowAsync(
            async (client, limited) => (await client.Containers.CreateContainerAsync(parameters, limited).ConfigureAwait(false)).ID,
            CancellationToken.None);

    private async Task UploadAsync(string container, string path, Stream tar)
    {
        await using (tar)
        {
            await daemon.SlowAsync(
                (client, limited) => client.Containers.ExtractArchiveToContainerAsync(container, new CopyToContainerParameters { Path = path }, tar, limited),
                CancellationToken.None).ConfigureAwait(false);
        }
    }

    private static void MakeWorkspace(ContainerPlan plan)
    {
        string directory = ContainerSettings.WorkspaceDirectory(plan.SandboxDirectory);
        if (plan.WorkspaceSource is { } source)
        {
            Directory.CreateDirectory(plan.SandboxDirectory);
            DockerCheckpoints.Fill(source, directory);
            return;
        }
        Directory.CreateDirectory(directory);
        if (Libc.ChangeOwner(directory, plan.User.Uid, plan.User.Gid) != 0)
            throw new StacyVMException(ProblemKind.Internal, $"cannot give {directory} to {plan.User}: {Libc.LastError()}");
    }
}
