using System.Net;
using System.Text.Json;
using Docker.DotNet;
using Docker.DotNet.Models;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// The checkpoints of this level: an image that the daemon makes of a container, and beside it, where the workspace is a directory of ours, a copy of that.
/// The directory with its mark says that it is whole.
/// </summary>
internal sealed class DockerCheckpoints(AgentHost host, DockerDaemon daemon, DockerContainers containers, DockerImages images)
{
    /// <summary>Names of the images of checkpoints begin with it; nobody spawns from them by name.</summary>
    public const string Repository = "stacyvm-checkpoint";

    private const string Label = "stacyvm.checkpoint", Workspace = "workspace";

    /// <summary>In a sandbox's directory while it is saved: a server that finds it lets the sandbox run again.</summary>
    private const string SavingFile = "saving";

    public async Task<long> SaveAsync(string id, string checkpoint, CancellationToken cancellation)
    {
        ContainerInspectResponse container = await LivingAsync(id, cancellation).ConfigureAwait(false);
        WorkspaceKind kind = KindOf(container);
        if (kind == WorkspaceKind.Memory)
            throw new StacyVMException(
                ProblemKind.Conflict, $"sandbox {id} has its workspace in memory, which is not saved: sandboxes that are made with providers.docker.read_only_rootfs off can be");
        var folder = new CheckpointFolder(host, DockerProvider.ProviderName, checkpoint);
        bool paused = container.State?.Paused == true;
        try
        {
            folder.Begin();
            if (!paused)
            {
                Directory.CreateDirectory(host.SandboxDirectory(id));
                await File.WriteAllTextAsync(Saving(id), checkpoint, cancellation).ConfigureAwait(false);
                await PauseAsync(id, cancellation).ConfigureAwait(false);
            }
            long bytes = await CommitAsync(container, checkpoint, cancellation).ConfigureAwait(false);
            if (kind == WorkspaceKind.Bound)
                bytes += await Task.Run(
                    () => TreeCopy.Copy(ContainerSettings.WorkspaceDirectory(host.SandboxDirectory(id)), Path.Combine(folder.Draft, Workspace), Rules, cancellation),
                    CancellationToken.None).ConfigureAwait(false);
            folder.Commit(JsonSerializer.SerializeToUtf8Bytes(new Dictionary<string, string> { ["workspace"] = kind.ToString() }, DockerJson.Default.DictionaryStringString));
            return bytes;
        }
        catch (Exception failure)
        {
            await RemoveAsync(checkpoint, CancellationToken.None).ConfigureAwait(false);
            throw failure switch
            {
                InvalidDataException => new StacyVMException(ProblemKind.Conflict, $"sandbox {id} cannot be saved: {failure.Message}", failure),
                IOException { HResult: Libc.ENOSPC or Libc.EDQUOT } => new StacyVMException(ProblemKind.StorageFull, $"sandbox {id} cannot be saved: {failure.Message}", failure),
                DockerApiException refusal => new StacyVMException(ProblemKind.ProviderUnavailable, $"sandbox {id} cannot be saved: {DockerDaemon.Message(refusal)}", failure),
                _ => failure,
            };
        }
        finally
        {
            if (!paused)
                await RunOnAsync(id).ConfigureAwait(false);
        }
    }

    /// <summary>What a new container begins with: the image, under the name that the first one had, and the directory to copy; null for none.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.NotFound"/>; <see cref="ProblemKind.Conflict"/> when this configuration keeps workspaces elsewhere.</exception>
    public async Task<(DockerImage Image, string ShownImage, string? Workspace)> OpenAsync(string checkpoint, WorkspaceKind kind, CancellationToken cancellation)
    {
        var folder = new CheckpointFolder(host, DockerProvider.ProviderName, checkpoint);
        DockerImage? image = folder.Exists ? await images.FindAsync(NameOf(checkpoint), cancellation).ConfigureAwait(false) : null;
        if (image is null)
            throw new StacyVMException(ProblemKind.NotFound, $"the files of checkpoint {checkpoint} are not there");
        Dictionary<string, string> noted = JsonSerializer.Deserialize(folder.ReadMarker(), DockerJson.Default.DictionaryStringString) ?? [];
        if (noted.GetValueOrDefault(Workspace) != kind.ToString())
            throw new StacyVMException(ProblemKind.Conflict, $"checkpoint {checkpoint} was made with another kind of workspace than sandboxes have now (providers.docker.read_only_rootfs or the daemon's address has changed)");
        ImageInspectResponse found = await daemon.QuickAsync((client, limited) => client.Images.InspectImageAsync(image.Name, limited), cancellation).ConfigureAwait(false);
        string shown = found.Config?.Labels?.TryGetValue(DockerLabels.Image, out string? name) == true ? name : image.Name;
        return (image, shown, kind == WorkspaceKind.Bound ? Path.Combine(folder.Path, Workspace) : null);
    }

    /// <summary>Fills the directory of a new workspace, which does not exist yet.</summary>
    public static void Fill(string source, string directory) => TreeCopy.Copy(source, directory, Rules, CancellationToken.None);

    public async Task<IReadOnlyList<string>> ListAsync(CancellationToken cancellation)
    {
        var found = new SortedSet<string>(CheckpointFolder.List(host, DockerProvider.ProviderName), StringComparer.Ordinal);
        foreach (ImagesListResponse image in await OursAsync(cancellation).ConfigureAwait(false))
        {
            List<string> tags = [.. (image.RepoTags ?? []).Where(tag => tag.StartsWith(Repository + ":", StringComparison.Ordinal))];
            found.UnionWith(tags.Select(tag => tag[(Repository.Length + 1)..]));
            // Removed while sandboxes ran from it; they may have ended since.
            if (tags.Count == 0)
                await DeleteAsync(image.ID, force: false, cancellation).ConfigureAwait(false);
        }
        return [.. found];
    }

    public async Task RemoveAsync(string checkpoint, CancellationToken cancellation)
    {
        var folder = new CheckpointFolder(host, DockerProvider.ProviderName, checkpoint);
        // Forced, it gives its name up; what containers still run from goes with a later listing.
        await DeleteAsync(NameOf(checkpoint), force: true, cancellation).ConfigureAwait(false);
        images.Forget(NameOf(checkpoint));
        await Task.Run(folder.Remove, CancellationToken.None).ConfigureAwait(false);
    }

    public async Task PauseAsync(string id, CancellationToken cancellation)
    {
        ContainerInspectResponse container = await LivingAsync(id, cancellation).ConfigureAwait(false);
        if (container.State?.Paused != true)
            await daemon.SlowAsync((client, limited) => client.Containers.PauseContainerAsync(container.ID, limited), cancellation).ConfigureAwait(false);
    }

    public async Task ResumeAsync(string id, CancellationToken cancellation)
    {
        ContainerInspectResponse container = await LivingAsync(id, cancellation).ConfigureAwait(false);
        if (container.State?.Paused == true)
            await daemon.SlowAsync((client, limited) => client.Containers.UnpauseContainerAsync(container.ID, limited), cancellation).ConfigureAwait(false);
    }

    /// <summary>A server that was killed while it saved has left the sandbox standing still.</summary>
    public async Task RecoverAsync(string id)
    {
        if (File.Exists(Saving(id)))
            await RunOnAsync(id).ConfigureAwait(false);
    }

    private static TreeCopyRules Rules => new(null, Libc.GetEffectiveUserId() == 0, long.MaxValue);

    private static string NameOf(string checkpoint) => $"{Repository}:{checkpoint}";

    private string Saving(string id) => Path.Combine(host.SandboxDirectory(id), SavingFile);

    private async Task RunOnAsync(string id)
    {
        try
        {
            await ResumeAsync(id, CancellationToken.None).ConfigureAwait(false);
        }
        catch (StacyVMException gone) when (gone.Kind == ProblemKind.SandboxGone)
        {
            // It has ended meanwhile.
        }
        if (Directory.Exists(host.SandboxDirectory(id)))
            File.Delete(Saving(id));
    }

    /// <returns>Bytes of what the container had changed.</returns>
    private async Task<long> CommitAsync(ContainerInspectResponse container, string checkpoint, CancellationToken cancellation)
    {
        var parameters = new CommitContainerChangesParameters
        {
            ContainerID = container.ID,
            RepositoryName = Repository,
            Tag = checkpoint,
            Pause = false,
            // The daemon adds what the container has and this does not name: its secret must be named to stay out.
            Env = [AgentProtocol.TokenVariable + "="],
            Labels = new Dictionary<string, string>
            {
                [Label] = checkpoint,
                [DockerLabels.Installation] = host.InstallationId,
                [DockerLabels.Sandbox] = "",
                [DockerLabels.Metadata] = "{}",
            },
        };
        CommitContainerChangesResponse made = await daemon.LongAsync((client, limited) => client.Images.CommitContainerChangesAsync(parameters, limited), cancellation).ConfigureAwait(false);
        long whole = (await daemon.QuickAsync((client, limited) => client.Images.InspectImageAsync(made.ID, limited), cancellation).ConfigureAwait(false)).Size;
        long before = (await daemon.QuickAsync((client, limited) => client.Images.InspectImageAsync(container.Image, limited), cancellation).ConfigureAwait(false)).Size;
        return Math.Max(0, whole - before);
    }

    private async Task<ContainerInspectResponse> LivingAsync(string id, CancellationToken cancellation)
    {
        IReadOnlyList<ContainerListResponse> found = await containers.ListAsync(id, cancellation).ConfigureAwait(false);
        return found is [{ } one] && await containers.InspectAsync(one.ID, cancellation).ConfigureAwait(false) is { State.Running: true } container
            ? container
            : throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {id} has ended");
    }

    private static WorkspaceKind KindOf(ContainerInspectResponse container)
    {
        if (container.Mounts?.Any(mount => mount.Destination == ContainerSettings.Workspace && mount.Type == "bind") == true)
            return WorkspaceKind.Bound;
        return container.HostConfig?.Tmpfs?.ContainsKey(ContainerSettings.Workspace) == true ? WorkspaceKind.Memory : WorkspaceKind.Layer;
    }

    private async Task<IList<ImagesListResponse>> OursAsync(CancellationToken cancellation)
    {
        var labels = new Dictionary<string, bool> { [Label] = true, [$"{DockerLabels.Installation}={host.InstallationId}"] = true };
        var parameters = new ImagesListParameters { Filters = new Dictionary<string, IDictionary<string, bool>> { ["label"] = labels } };
        return await daemon.QuickAsync((client, limited) => client.Images.ListImagesAsync(parameters, limited), cancellation).ConfigureAwait(false);
    }

    private async Task DeleteAsync(string image, bool force, CancellationToken cancellation)
    {
        try
        {
            await daemon.SlowAsync(async (client, limited) => await client.Images.DeleteImageAsync(image, new ImageDeleteParameters { Force = force }, limited).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        }
        catch (DockerApiException e) when (DockerDaemon.Is(e, HttpStatusCode.NotFound) || (!force && DockerDaemon.Is(e, HttpStatusCode.Conflict)))
        {
            // Gone already, or still in use.
        }
    }
}
