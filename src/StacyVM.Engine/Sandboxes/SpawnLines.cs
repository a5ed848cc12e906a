namespace StacyVM.Engine.Sandboxes;

/// <summary>
/// The queue of spawns: one line an owner, first come first served; the owners take turns, so that ninety spawns of one never keep another waiting.
/// Spawns without an owner share a line. Not safe for threads: <see cref="Capacity"/> guards it.
/// </summary>
internal sealed class SpawnLines
{
    private readonly Dictionary<string, LinkedList<SpawnWaiter>> _lines = new(StringComparer.Ordinal);
    /// <summary>Owners who wait; whose turn it is first.</summary>
    private readonly LinkedList<string> _turns = new();

    public int Count { get; private set; }

    public void Add(SpawnWaiter waiter)
    {
        if (!_lines.TryGetValue(waiter.Owner, out LinkedList<SpawnWaiter>? line))
        {
            _lines.Add(waiter.Owner, line = new LinkedList<SpawnWaiter>());
            _turns.AddLast(waiter.Owner);
        }
        waiter.Node = line.AddLast(waiter);
        Count++;
    }

    /// <returns>False when it is not in the queue.</returns>
    public bool Remove(SpawnWaiter waiter)
    {
        if (waiter.Node is not { List: { } line } node)
            return false;
        line.Remove(node);
        waiter.Node = null;
        Count--;
        if (line.Count == 0)
        {
            _lines.Remove(waiter.Owner);
            _turns.Remove(waiter.Owner);
        }
        return true;
    }

    /// <summary>
    /// Takes out the one whose turn it is, and sends its owner to the back. An owner who can have no place is passed over and keeps its turn.
    /// </summary>
    /// <param name="hasRoom">Whether an owner can have a place.</param>
    public SpawnWaiter? Next(Func<string, bool> hasRoom)
    {
        for (LinkedListNode<string>? turn = _turns.First; turn is not null; turn = turn.Next)
        {
            if (!hasRoom(turn.Value))
                continue;
            SpawnWaiter waiter = _lines[turn.Value].First!.Value;
            _turns.Remove(turn);
            _turns.AddLast(turn);
            Remove(waiter);
            return waiter;
        }
        return null;
    }
}
