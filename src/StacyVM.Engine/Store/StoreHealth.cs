namespace StacyVM.Engine.Store;

/// <summary>How the store is, by its last transaction.</summary>
/// <param name="Latency">How long that took.</param>
/// <param name="Error">Why it failed; null when it did not.</param>
internal sealed record StoreHealth(TimeSpan Latency, string? Error)
{
    public bool Healthy => Error is null;
}
