namespace StacyVM.Engine.Sandboxes;

/// <summary>A place that is taken; giving it back twice is giving it back once.</summary>
internal sealed class CapacityReservation(Capacity capacity, string owner)
{
    private Capacity? _capacity = capacity;

    public void Release() => Interlocked.Exchange(ref _capacity, null)?.Release(owner);
}
