using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Secrets;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Engine.Checkpoints;

/// <summary>The checkpoint that a spawn begins with, and what that means for the request.</summary>
internal sealed class SpawnOrigin(CheckpointRecord checkpoint, SecretBox box)
{
    public CheckpointRecord Checkpoint { get; } = checkpoint;

    /// <summary>It carries a fork over.</summary>
    private bool IsFork => Checkpoint.Name.Length == 0;

    /// <summary>The power by which the provider starts from it.</summary>
    public ICheckpoints Level(ISandboxProvider provider) => provider as ICheckpoints
        ?? throw new StacyVMException(ProblemKind.Unsupported, $"{provider.Name} starts nothing from checkpoints in this version");

    /// <summary>The environment as the record of the new sandbox keeps it; null for none.</summary>
    public SandboxEnvironment? SealEnvironment(string id) => Checkpoint.Environment?.For(id, Checkpoint.Id, box);

    /// <summary>
    /// Who the new sandbox is for: always of the tenant whose state it holds; a fork is for whom the sandbox is for, whoever asks, so that no limit is left behind.
    /// </summary>
    public Caller Acting(Caller caller) => caller with
    {
        Tenant = Checkpoint.TenantId.Length == 0 ? caller.Tenant : Checkpoint.TenantId,
        Owner = IsFork ? Checkpoint.OwnerId.Length == 0 ? null : Checkpoint.OwnerId : caller.Owner,
    };

    /// <summary>The request with what the checkpoint decides.</summary>
    /// <exception cref="StacyVMException">InvalidInput for a wish that contradicts it.</exception>
    public SpawnRequest Join(SpawnRequest request)
    {
        string image = request.Image?.Trim() ?? "";
        // The SDKs always send their own default, which is no wish.
        if (image.Length > 0 && image != SpawnValidation.SdkDefaultImage && image != Checkpoint.Image)
            throw Contradiction("image", Checkpoint.Image);
        string provider = request.Provider?.Trim() ?? "";
        if (provider.Length > 0 && provider != ProviderRegistry.Auto && provider != Checkpoint.Provider)
            throw Contradiction("provider", Checkpoint.Provider);
        if (!string.IsNullOrEmpty(request.Template))
            throw new StacyVMException(ProblemKind.InvalidInput, "a sandbox starts from a checkpoint or from a template: leave one of them out");
        Dictionary<string, string> metadata = new(Checkpoint.Metadata);
        foreach ((string name, string value) in request.Metadata ?? [])
            metadata[name] = value;
        return request with
        {
            Image = Checkpoint.Image,
            Provider = Checkpoint.Provider,
            MemoryMb = request.MemoryMb is null or 0 ? Checkpoint.MemoryMb : request.MemoryMb,
            Vcpus = request.Vcpus is null or 0 ? Checkpoint.Vcpus : request.Vcpus,
            OwnerId = IsFork || Checkpoint.OwnerId.Length == 0 || !string.IsNullOrWhiteSpace(request.OwnerId) ? IsFork ? null : request.OwnerId : Checkpoint.OwnerId,
            Metadata = metadata,
        };
    }

    private static StacyVMException Contradiction(string what, string value) =>
        new(ProblemKind.InvalidInput, $"the {what} of a sandbox from a checkpoint is the checkpoint's ({value}): leave {what} out");
}
