namespace StacyVM.Engine.Providers;

/// <summary>Lets the operations on one id take turns; those on different ids never wait for each other.</summary>
internal sealed class TurnTaking
{
    private readonly Dictionary<string, Turn> _turns = [];

    /// <summary>Waits for the turn; it ends with the returned object's disposal.</summary>
    public async Task<IDisposable> TakeAsync(string id, CancellationToken cancellation)
    {
        Turn turn;
        lock (_turns)
        {
            if (!_turns.TryGetValue(id, out turn!))
                _turns[id] = turn = new Turn();
            turn.Interested++;
        }
        try
        {
            await turn.Gate.WaitAsync(cancellation).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            LetGo(id, turn);
            throw;
        }
        return new Held(this, id, turn);
    }

    private void LetGo(string id, Turn turn)
    {
        lock (_turns)
        {
            if (--turn.Interested == 0)
                _turns.Remove(id);
        }
    }

    private sealed class Turn
    {
        public SemaphoreSlim Gate { get; } = new(1);

        public int Interested { get; set; }
    }

    private sealed class Held(TurnTaking owner, string id, Turn turn) : IDisposable
    {
        public void Dispose()
        {
            turn.Gate.Release();
            owner.LetGo(id, turn);
        }
    }
}
