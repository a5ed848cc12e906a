using System.Text.Json;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>Machines are saved with all of their memory, started from what was saved, and stand still.</summary>
internal sealed partial class MicroVmProvider : ICheckpoints, IPauses
{
    private static readonly TimeSpan GoOnBound = TimeSpan.FromSeconds(30);

    public CheckpointContent Content => CheckpointContent.Memory;

    /// <summary>1 commands are held, so that none runs in a copy before it has its own randomness, 2 the machine is, 3 state and disk, 4 on it goes.</summary>
    public async Task<long> SaveAsync(string id, string checkpoint, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (MachineFolder folder, Living living) = LivingOf(id);
        if (folder.IsPaused)
            throw new StacyVMException(ProblemKind.Conflict, $"sandbox {id} is paused, so its agent cannot be told that it is saved: resume it first");
        StoredImage image = images.Find(living.State.ImageDigest) ?? throw new StacyVMException(ProblemKind.Conflict, $"the image of sandbox {id} is not here any more");
        var saved = new CheckpointFolder(host, Name, checkpoint);
        saved.Begin();
        try
        {
            images.Use(image, saved.Draft);
            // 1. and 2.
            await GuestPerson.HoldAsync(id, living.Link, hold: true, cancellation).ConfigureAwait(false);
            await setup.Monitor.PauseAsync(folder, cancellation).ConfigureAwait(false);

            // 3.
            await setup.Monitor.SaveAsync(folder, Path.Combine(saved.Draft, SavedFolder.StateFile), cancellation).ConfigureAwait(false);
            await Task.Run(() => SparseCopy.Copy(folder.Disk, Path.Combine(saved.Draft, SavedFolder.DiskFile), cancellation), cancellation).ConfigureAwait(false);
            saved.Commit(JsonSerializer.SerializeToUtf8Bytes(SavedMachine.Of(living.State, setup.Compatibility, living.State.Token), MachineJson.Default.SavedMachine));
        }
        catch (Exception cause)
        {
            saved.Remove();
            throw cause switch
            {
                IOException { HResult: Libc.ENOSPC or Libc.EDQUOT } => new StacyVMException(ProblemKind.StorageFull, $"sandbox {id} cannot be saved: {cause.Message}", cause),
                IOException => new StacyVMException(ProblemKind.Conflict, $"sandbox {id} cannot be saved: {cause.Message}", cause),
                _ => cause,
            };
        }
        finally
        {
            // 4.
            using var bound = new CancellationTokenSource(GoOnBound);
            await GoOnAsync(setup, folder, living.Link, bound.Token).ConfigureAwait(false);
        }
        return TreeUsage.Measure(saved.Path, long.MaxValue).Bytes;
    }

    public async Task<ISandbox> RestoreAsync(string id, string checkpoint, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        var folder = new CheckpointFolder(host, Name, checkpoint);
        SavedMachine machine = (folder.Exists ? JsonSerializer.Deserialize(folder.ReadMarker(), MachineJson.Default.SavedMachine) : null)
            ?? throw new StacyVMException(ProblemKind.NotFound, $"there is no checkpoint {checkpoint} of {Name}");
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        if (machine.Compatibility != setup.Compatibility)
            throw new StacyVMException(ProblemKind.Conflict, $"checkpoint {checkpoint} was saved by another version of {Name}, of the guest kernel or of the agent, and can only go on with the same");
        if ((machine.MemoryMb, machine.Vcpus, machine.DiskMb) != (spec.MemoryMb, spec.Vcpus, spec.DiskMb))
            throw new StacyVMException(ProblemKind.InvalidInput, $"the memory of a saved machine cannot be given another size: checkpoint {checkpoint} has {machine.MemoryMb} MiB of memory, {machine.Vcpus} processors and {machine.DiskMb} MiB of disk");
        StoredImage image = images.Find(machine.ImageDigest) ?? throw new StacyVMException(ProblemKind.NotFound, $"the image {machine.Image} of checkpoint {checkpoint} is not here any more");
        string rootDisk = await images.DiskAsync(image, progress, cancellation).ConfigureAwait(false);
        var files = new SavedFiles(Path.Combine(folder.Path, SavedFolder.StateFile), Path.Combine(folder.Path, SavedFolder.DiskFile), machine.Token);
        return await BuildAsync(setup, id, spec, new Origin(image, rootDisk, machine.Guest, [], files, null), cancellation).ConfigureAwait(false);
    }

    public Task<IReadOnlyList<string>> ListCheckpointsAsync(CancellationToken cancellation) => Task.FromResult(CheckpointFolder.List(host, Name));

    public Task RemoveCheckpointAsync(string checkpoint, CancellationToken cancellation)
    {
        new CheckpointFolder(host, Name, checkpoint).Remove();
        return Task.CompletedTask;
    }

    public async Task PauseAsync(string id, CancellationToken cancellation)
    {
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (MachineFolder folder, _) = LivingOf(id);
        await ToldAsync(id, () => setup.Monitor.PauseAsync(folder, cancellation)).ConfigureAwait(false);
        folder.SetPaused(true);
    }

    public async Task ResumeAsync(string id, CancellationToken cancellation)
    {
        MachineSetup setup = await PrepareAsync(cancellation).ConfigureAwait(false);
        using IDisposable turn = await _turns.TakeAsync(id, cancellation).ConfigureAwait(false);
        (MachineFolder folder, _) = LivingOf(id);
        await ToldAsync(id, () => setup.Monitor.ResumeAsync(folder, cancellation)).ConfigureAwait(false);
        folder.SetPaused(false);
    }

    private static async Task ToldAsync(string id, Func<Task> tell)
    {
        try
        {
            await tell().ConfigureAwait(false);
        }
        catch (IOException cause)
        {
            throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {id}: its machine does not answer: {cause.Message}", cause);
        }
    }

    private (MachineFolder Folder, Living Living) LivingOf(string id) => _living.TryGetValue(id, out Living? living) && living.State.Process.IsAlive
        ? (FolderOf(id), living)
        : throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {id}: its machine does not run");
}
