using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>Where those who need an agent meet the connection that has come, or wait for the next one.</summary>
internal sealed class AgentRendezvous(string sandboxId)
{
    /// <summary>How long an operation waits for a redial.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly object _gate = new();
    private AgentConnection? _current;
    private TaskCompletionSource<AgentConnection>? _next;
    private bool _closed;

    /// <summary>The present connection, or the next one.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.SandboxGone"/> when none comes in time.</exception>
    public ValueTask<AgentConnection> GetAsync(TimeSpan patience, CancellationToken cancellation)
    {
        if (Volatile.Read(ref _current) is { IsAlive: true } connection)
            return new ValueTask<AgentConnection>(connection);
        Task<AgentConnection> next;
        lock (_gate)
        {
            if (_closed)
                throw Closed();
            if (_current is { IsAlive: true } came)
                return new ValueTask<AgentConnection>(came);
            _next ??= new TaskCompletionSource<AgentConnection>(TaskCreationOptions.RunContinuationsAsynchronously);
            next = _next.Task;
        }
        return WaitAsync(next, patience, cancellation);
    }

    /// <summary>Takes in a connection that has proved itself; the one before it ends.</summary>
    public void Offer(AgentConnection connection)
    {
        AgentConnection? before;
        TaskCompletionSource<AgentConnection>? waiting = null;
        bool closed;
        lock (_gate)
        {
            closed = _closed;
            before = closed ? connection : _current;
            if (!closed)
            {
                _current = connection;
                waiting = _next;
                _next = null;
            }
        }
        before?.Abort(new IOException(closed ? "the server lets go of the sandbox" : "the agent has dialled again"));
        waiting?.TrySetResult(connection);
    }

    /// <summary>Ends the connection and tells all who wait.</summary>
    public void Close()
    {
        AgentConnection? current;
        TaskCompletionSource<AgentConnection>? waiting;
        lock (_gate)
        {
            _closed = true;
            (current, waiting) = (_current, _next);
            (_current, _next) = (null, null);
        }
        current?.Abort(new IOException("the server lets go of the sandbox"));
        if (waiting is not null)
        {
            waiting.TrySetException(Closed());
            _ = waiting.Task.Exception;
        }
    }

    private async ValueTask<AgentConnection> WaitAsync(Task<AgentConnection> next, TimeSpan patience, CancellationToken cancellation)
    {
        try
        {
            return await next.WaitAsync(patience, cancellation).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {sandboxId}: its agent did not connect within {patience.TotalSeconds:0.#} s");
        }
    }

    private StacyVMException Closed() => new(ProblemKind.SandboxGone, $"sandbox {sandboxId}: it has been removed or let go");
}
