namespace StacyVM.Engine.Sandboxes;

/// <summary>The spawn queue at one moment, and since the start. Spawns that did not have to wait are in none of the numbers.</summary>
/// <param name="Depth">Spawns that wait now.</param>
/// <param name="Queued">Spawns that had to wait.</param>
/// <param name="Dequeued">Of those: got a place.</param>
/// <param name="Timeouts">Of those: waited in vain for the longest time allowed.</param>
/// <param name="Abandoned">Of those: their client went away, or the server stopped.</param>
/// <param name="WaitTotal">Time that the dequeued ones have waited.</param>
/// <param name="WaitMax">The longest of these waits.</param>
internal sealed record SpawnQueueNumbers(int Depth, long Queued, long Dequeued, long Timeouts, long Abandoned, TimeSpan WaitTotal, TimeSpan WaitMax)
{
    /// <summary>Waits that <see cref="WaitTotal"/> is of.</summary>
    public long WaitCount => Dequeued;

    public TimeSpan WaitAverage => WaitCount == 0 ? TimeSpan.Zero : WaitTotal / WaitCount;
}
