using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// Places for sandboxes, counted in memory. A place is taken before anything is built and given back when all of it is gone, so that
/// parallel spawns can never pass a limit together. A place that becomes free is handed to the one whose turn it is, in the same step: as long as
/// nobody holds the lock, no one who could have a place waits for it. So no wake-up is lost, only one is woken, and who comes late overtakes nobody.
/// </summary>
/// <param name="max">All together; 0: unlimited.</param>
/// <param name="maxOf">Of one owner; 0: unlimited. Asked under the lock each time; after a change call <see cref="LimitsChanged"/>.</param>
internal sealed class Capacity(int max, Func<string, int> maxOf)
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, int> _owners = new(StringComparer.Ordinal);
    private readonly SpawnLines _lines = new();
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

    /// <summary>Spawns that wait for a place.</summary>
    public int Waiting
    {
        get
        {
            lock (_lock)
                return _lines.Count;
        }
    }

    /// <summary>Places taken and limits, as seen by an owner.</summary>
    public CapacityUse UseOf(string owner)
    {
        lock (_lock)
            return Use(owner);
    }

    /// <summary>Takes a place.</summary>
    /// <param name="owner">Empty: limited only by the total.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ResourceLimit"/>.</exception>
    public CapacityReservation Reserve(string owner)
    {
        lock (_lock)
            return Use(owner).Refusal is { } refusal ? throw refusal : Take(owner);
    }

    /// <summary>Takes a place, or stands in line for one.</summary>
    /// <param name="owner">Empty: limited only by the total.</param>
    /// <param name="mostWaiting">Length of the queue.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ResourceLimit"/> when the queue is full.</exception>
    public SpawnWaiter ReserveOrWait(string owner, int mostWaiting)
    {
        lock (_lock)
        {
            CapacityUse use = Use(owner);
            var waiter = new SpawnWaiter(owner);
            if (use.Shortage is null)
            {
                waiter.Serve(Take(owner));
                return waiter;
            }
            if (_lines.Count >= mostWaiting)
                throw new StacyVMException(ProblemKind.ResourceLimit, $"spawn queue full ({mostWaiting}): {use.Explanation}");
            _lines.Add(waiter);
            waiter.Depth = _lines.Count;
            return waiter;
        }
    }

    /// <summary>Leaves the line.</summary>
    /// <returns>False when it has been given a place before.</returns>
    public bool Leave(SpawnWaiter waiter)
    {
        lock (_lock)
            return _lines.Remove(waiter);
    }

    /// <summary>Takes a place for a sandbox that exists already, whatever the limit says now.</summary>
    public CapacityReservation Hold(string owner)
    {
        lock (_lock)
            return Take(owner);
    }

    /// <summary>Those who wait may have places now.</summary>
    public void LimitsChanged()
    {
        lock (_lock)
            ServeWaiting();
    }

    internal void Release(string owner)
    {
        lock (_lock)
        {
            _total--;
            if (owner.Length > 0)
            {
                int left = _owners[owner] - 1;
                if (left == 0)
                    _owners.Remove(owner);
                else
                    _owners[owner] = left;
            }
            ServeWaiting();
        }
    }

    private CapacityUse Use(string owner) =>
        new(owner, _total, max, owner.Length == 0 ? 0 : _owners.GetValueOrDefault(owner), owner.Length == 0 ? 0 : maxOf(owner));

    private CapacityReservation Take(string owner)
    {
        _total++;
        if (owner.Length > 0)
            _owners[owner] = _owners.GetValueOrDefault(owner) + 1;
        return new CapacityReservation(this, owner);
    }

    private void ServeWaiting()
    {
        while (_lines.Count > 0 && (max <= 0 || _total < max) && _lines.Next(owner => Use(owner).Shortage is null) is { } waiter)
            waiter.Serve(Take(waiter.Owner));
    }
}
