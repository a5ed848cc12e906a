using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Places for sandboxes, counted in memory. A place is taken before anything is built and given back when all of it is gone, so that
/// parallel spawns can never pass the limit together.
/// </summary>
/// <param name="max">All together; 0: unlimited.</param>
/// <param name="maxPerOwner">Of one owner; 0: unlimited.</param>
internal sealed class Capacity(int max, int maxPerOwner)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _owners = new(StringComparer.Ordinal);
    private int _total;

    /// <summary>Places taken.</summary>
    public int Total
    {
        get
        {
            lock (_lock)
                return _total;
        }
    }

    /// <summary>Takes a place.</summary>
    /// <param name="owner">Empty: limited only by the total.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ResourceLimit"/>.</exception>
    public CapacityReservation Reserve(string owner)
    {
        lock (_lock)
        {
            if (max > 0 && _total >= max)
                throw new StacyVMException(ProblemKind.ResourceLimit, $"max sandboxes reached ({max}): destroy one, or raise defaults.max_sandboxes");
            if (maxPerOwner > 0 && owner.Length > 0 && _owners.GetValueOrDefault(owner) >= maxPerOwner)
                throw new StacyVMException(ProblemKind.ResourceLimit, $"max sandboxes per owner reached ({maxPerOwner}) for {owner}: destroy one, or raise defaults.max_sandboxes_per_owner");
            return Take(owner);
        }
    }

    /// <summary>Takes a place for a sandbox that exists already, whatever the limit says now.</summary>
    public CapacityReservation Hold(string owner)
    {
        lock (_lock)
            return Take(owner);
    }

    private CapacityReservation Take(string owner)
    {
        _total++;
        if (owner.Length > 0)
            _owners[owner] = _owners.GetValueOrDefault(owner) + 1;
        return new CapacityReservation(this, owner);
    }

    internal void Release(string owner)
    {
        lock (_lock)
        {
            _total--;
            if (owner.Length == 0)
                return;
            int left = _owners[owner] - 1;
            if (left == 0)
                _owners.Remove(owner);
            else
                _owners[owner] = left;
        }
    }
}
