namespace StacyVM.Engine.Sandboxes;

/// <summary>A spawn that has asked for a place. Changed only by <see cref="Capacity"/>, under its lock.</summary>
internal sealed class SpawnWaiter(string owner)
{
    // Whoever gives a place holds the lock: the spawn goes on elsewhere.
    private readonly TaskCompletionSource<CapacityReservation> _place = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Owner { get; } = owner;

    /// <summary>Its place; completes in its turn, never fails.</summary>
    public Task<CapacityReservation> Place => _place.Task;

    /// <summary>Spawns in the queue when it came, itself included; 0: it did not have to wait.</summary>
    public int Depth { get; set; }

    /// <summary>Where it stands in its owner's line; null when it stands in none.</summary>
    public LinkedListNode<SpawnWaiter>? Node { get; set; }

    public void Serve(CapacityReservation place) => _place.SetResult(place);
}
