using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>Standing still, and what is saved meanwhile.</summary>
internal sealed partial class BubblewrapProvider
{
    public CheckpointContent Content => CheckpointContent.Files;

    public async Task<ISandbox> RestoreAsync(string id, string checkpoint, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        SavedState saved = _saved.Read(checkpoint, spec);
        StoredImage? image = saved.Image is null
            ? null
            : images.Find(saved.Image) ?? throw new StacyVMException(ProblemKind.Conflict, $"the image of checkpoint {checkpoint}, {saved.Image}, is not here any more");
        return await BuildAsync(id, spec, image, checkpoint, cancellation).ConfigureAwait(false);
    }

    public async Task<long> SaveAsync(string id, string checkpoint, CancellationToken cancellation)
    {
        BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (SandboxFolder folder, BubblewrapState state) = Living(id);
        var standstill = new BubblewrapStandstill(id, folder, setup.Cgroups);
        try
        {
            if (!folder.IsPaused)
                await standstill.BeginAsync(cancellation).ConfigureAwait(false);
            return await Task.Run(() => _saved.Save(id, checkpoint, folder, state, setup.Users is not null, cancellation), CancellationToken.None).ConfigureAwait(false);
        }
        finally
        {
            if (!folder.IsPaused)
                standstill.End();
        }
    }

    public Task<IReadOnlyList<string>> ListCheckpointsAsync(CancellationToken cancellation) => Task.FromResult(_saved.List());

    public Task RemoveCheckpointAsync(string checkpoint, CancellationToken cancellation) => Task.Run(() => _saved.Remove(checkpoint), cancellation);

    public async Task PauseAsync(string id, CancellationToken cancellation)
    {
        BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (SandboxFolder folder, _) = Living(id);
        // The mark first: a server that ends in between leaves a sandbox that the next one lets stand still, and none that nobody lets go on.
        bool was = folder.IsPaused;
        folder.NotePause();
        try
        {
            await new BubblewrapStandstill(id, folder, setup.Cgroups).BeginAsync(cancellation).ConfigureAwait(false);
        }
        catch when (!was)
        {
            folder.ForgetPause();
            throw;
        }
    }

    public async Task ResumeAsync(string id, CancellationToken cancellation)
    {
        BubblewrapSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (SandboxFolder folder, _) = Living(id);
        folder.ForgetPause();
        new BubblewrapStandstill(id, folder, setup.Cgroups).End();
    }

    private (SandboxFolder Folder, BubblewrapState State) Living(string id)
    {
        var folder = new SandboxFolder(host, id);
        ProcessIdentity? process = _living.TryGetValue(id, out LivingSandbox? known) ? known.Process : folder.FindProcess();
        return process is { IsAlive: true } && folder.ReadState() is { } state
            ? (folder, state)
            : throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {id} has ended");
    }
}
