using StacyVM.Engine.Agents;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Standing still, and what is saved meanwhile: the daemon does both.</summary>
internal sealed partial class DockerProvider
{
    private readonly TurnTaking _turns = new();

    public CheckpointContent Content => CheckpointContent.Files;

    public async Task<long> SaveAsync(string id, string checkpoint, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        return await Setup().Checkpoints.SaveAsync(id, checkpoint, cancellation).ConfigureAwait(false);
    }

    public async Task<ISandbox> RestoreAsync(string id, string checkpoint, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        _neverMade[id] = true;
        DockerSetup setup = Setup();
        ProvedDaemon proved = await setup.Proof.GetAsync(cancellation).ConfigureAwait(false);
        (DockerImage image, string shown, string? workspace) = await setup.Checkpoints.OpenAsync(checkpoint, proved.Workspace, cancellation).ConfigureAwait(false);
        _neverMade.TryRemove(id, out _);
        ContainerPlan plan = Plan(setup, id, spec, image, shown, proved) with { WorkspaceSource = workspace };
        (string container, IAgentLink link) = await setup.Launch.RunAsync(plan, cancellation).ConfigureAwait(false);
        return Sandbox(setup, id, new DockerHandle(container, shown, proved.Route), link);
    }

    public Task<IReadOnlyList<string>> ListCheckpointsAsync(CancellationToken cancellation) => Setup().Checkpoints.ListAsync(cancellation);

    public Task RemoveCheckpointAsync(string checkpoint, CancellationToken cancellation) => Setup().Checkpoints.RemoveAsync(checkpoint, cancellation);

    public async Task PauseAsync(string id, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        await Setup().Checkpoints.PauseAsync(id, cancellation).ConfigureAwait(false);
    }

    public async Task ResumeAsync(string id, CancellationToken cancellation)
    {
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        await Setup().Checkpoints.ResumeAsync(id, cancellation).ConfigureAwait(false);
    }

    /// <summary>Images of checkpoints are their owners': nobody spawns from them by name.</summary>
    private static void RefuseCheckpoint(string image)
    {
        if (image.Contains(DockerCheckpoints.Repository, StringComparison.Ordinal))
            throw new StacyVMException(ProblemKind.InvalidInput, $"'{image}' is no image to spawn: name a checkpoint as checkpoint");
    }
}
