namespace StacyVM.Engine.Checkpoints;

/// <summary>The rows of checkpoints.</summary>
internal interface ICheckpointStore
{
    Task<IReadOnlyList<CheckpointRecord>> LoadAsync(CancellationToken cancellation);

    /// <summary>Inserts or replaces.</summary>
    Task SaveAsync(CheckpointRecord record);

    Task DeleteAsync(string id);
}
