namespace StacyVM.Engine.Checkpoints;

/// <summary>As long as it is held, the checkpoint is not deleted.</summary>
internal sealed class CheckpointHold(SpawnOrigin origin, Action letGo) : IDisposable
{
    private Action? _letGo = letGo;

    public SpawnOrigin Origin { get; } = origin;

    public void Dispose() => Interlocked.Exchange(ref _letGo, null)?.Invoke();
}
