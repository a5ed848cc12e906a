using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers;

/// <summary>
/// Optional power of a provider: its sandboxes can be saved, and new ones started from what was saved. Identity does not travel: a restored
/// sandbox has an id, host name, machine id, agent token and entropy of its own, and the host's clock.
/// </summary>
internal interface ICheckpoints
{
    /// <summary>What a checkpoint of this level holds.</summary>
    CheckpointContent Content { get; }

    /// <summary>
    /// Saves a running sandbox, which stands still meanwhile and runs on afterwards, whether this succeeds or not. The checkpoint appears
    /// whole or not at all, and needs nothing of the sandbox any more.
    /// </summary>
    /// <param name="id">The sandbox.</param>
    /// <param name="checkpoint">Chosen by the caller and safe as a file name; a save that was cut off may be repeated with the same one.</param>
    /// <param name="cancellation">Abandons the save; nothing of it stays behind.</param>
    /// <returns>Bytes that the checkpoint takes on disk.</returns>
    /// <exception cref="StacyVMException">
    /// <see cref="ProblemKind.SandboxGone"/>; <see cref="ProblemKind.Conflict"/> when it cannot be saved as it is now, with the reason;
    /// <see cref="ProblemKind.StorageFull"/>.
    /// </exception>
    Task<long> SaveAsync(string id, string checkpoint, CancellationToken cancellation);

    /// <summary>As <see cref="ISandboxProvider.CreateAsync"/>, from a checkpoint instead of an image.</summary>
    /// <param name="id">Of the new sandbox, as for a create.</param>
    /// <param name="checkpoint">Any number of sandboxes may be started from one at the same time.</param>
    /// <param name="spec">Memory, processors and disk are honoured as in a create; the image is the checkpoint's.</param>
    /// <param name="progress">Sentences about long steps.</param>
    /// <param name="cancellation">Abandons the work; nothing stays behind.</param>
    /// <exception cref="StacyVMException">
    /// <see cref="ProblemKind.NotFound"/> for a checkpoint that is not there; <see cref="ProblemKind.InvalidInput"/> for sizes that a saved
    /// memory cannot be given; otherwise as for a create.
    /// </exception>
    Task<ISandbox> RestoreAsync(string id, string checkpoint, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation);

    /// <summary>Ids of all checkpoints of this level and installation, half-made ones too.</summary>
    Task<IReadOnlyList<string>> ListCheckpointsAsync(CancellationToken cancellation);

    /// <summary>Removes one; what is not there is success. Sandboxes that were started from it live on.</summary>
    Task RemoveCheckpointAsync(string checkpoint, CancellationToken cancellation);
}

/// <summary>What a checkpoint holds.</summary>
internal enum CheckpointContent
{
    /// <summary>The files; processes start anew.</summary>
    Files,

    /// <summary>The files and every process with its memory.</summary>
    Memory,
}

/// <summary>
/// Optional power of a provider: a sandbox stands still and goes on. While it does, its processes get no time and its agent does not answer;
/// <see cref="ISandbox.StatusAsync"/> says <see cref="RuntimeState.Paused"/>. It survives a restart of the server, and it can be destroyed.
/// </summary>
internal interface IPauses
{
    /// <summary>Returns when nothing of it runs any more; repeating it is not an error.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.SandboxGone"/>.</exception>
    Task PauseAsync(string id, CancellationToken cancellation);

    /// <summary>Returns when it runs again; repeating it is not an error.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.SandboxGone"/>.</exception>
    Task ResumeAsync(string id, CancellationToken cancellation);
}
