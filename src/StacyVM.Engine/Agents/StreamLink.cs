using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>The way to an agent over a byte stream that the server opens itself, and opens again when it broke: standard streams of a remote exec.</summary>
/// <param name="sandboxId">The sandbox.</param>
/// <param name="token">What its agent presents.</param>
/// <param name="open">Opens a fresh stream to the agent.</param>
internal sealed class StreamLink(string sandboxId, string token, Func<CancellationToken, Task<Stream>> open) : IAgentLink
{
    private readonly SemaphoreSlim _opening = new(1);
    private AgentConnection? _connection;
    private bool _disposed;

    public ValueTask<AgentConnection> GetAsync(CancellationToken cancellation) =>
        Volatile.Read(ref _connection) is { IsAlive: true } connection ? new ValueTask<AgentConnection>(connection) : OpenAsync(cancellation);

    public async ValueTask DisposeAsync()
    {
        await _opening.WaitAsync().ConfigureAwait(false);
        _disposed = true;
        _connection?.Abort(new IOException("the server lets go of the sandbox"));
        _opening.Release();
    }

    private async ValueTask<AgentConnection> OpenAsync(CancellationToken cancellation)
    {
        await _opening.WaitAsync(cancellation).ConfigureAwait(false);
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(AgentRendezvous.Patience);
        try
        {
            if (_disposed)
                throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {sandboxId}: it has been removed or let go");
            if (_connection is { IsAlive: true } connection)
                return connection;
            Stream stream = await open(bound.Token).ConfigureAwait(false);
            _connection = await AgentConnection.OpenAsync(stream, sandboxId, token, bound.Token).ConfigureAwait(false);
            return _connection;
        }
        catch (Exception e) when (e is IOException or ProtocolViolationException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {sandboxId}: its agent cannot be reached ({e.Message})", e);
        }
        finally
        {
            _opening.Release();
        }
    }
}
