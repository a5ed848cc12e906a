using StacyVM.Engine.Agents;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>
/// The way to an agent through a port of its machine. The monitor holds the line while servers come and go, so a new connection may begin in the
/// middle of what the last one left, on either side: what does not find an answer soon is closed, which clears the line, and tried again.
/// </summary>
/// <param name="id">The sandbox.</param>
/// <param name="token">What its agent presents.</param>
/// <param name="open">Connects to the monitor.</param>
internal sealed class PortLink(string id, string token, Func<CancellationToken, Task<Stream>> open) : IAgentLink
{
    private static readonly TimeSpan FirstAttempt = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly SemaphoreSlim _opening = new(1);
    private readonly CancellationTokenSource _gone = new();
    private AgentConnection? _connection;

    /// <summary>Changes once, when the machine becomes a sandbox.</summary>
    public string Token { get; set; } = token;

    public ValueTask<AgentConnection> GetAsync(CancellationToken cancellation) => GetAsync(AgentRendezvous.Patience, cancellation);

    /// <summary>As <see cref="IAgentLink.GetAsync"/>, with another bound: a first start takes longer than a new connection.</summary>
    public ValueTask<AgentConnection> GetAsync(TimeSpan patience, CancellationToken cancellation) =>
        Volatile.Read(ref _connection) is { IsAlive: true } connection ? new ValueTask<AgentConnection>(connection) : OpenAsync(patience, cancellation);

    /// <summary>Ends the connection; the next use makes another.</summary>
    public void HangUp() => Volatile.Read(ref _connection)?.Abort(new IOException("the machine is being saved"));

    public ValueTask DisposeAsync()
    {
        _gone.Cancel();
        Volatile.Read(ref _connection)?.Abort(new IOException("the server lets go of the sandbox"));
        return default;
    }

    private async ValueTask<AgentConnection> OpenAsync(TimeSpan patience, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation, _gone.Token);
        bound.CancelAfter(patience);
        Exception? last = null;
        try
        {
            await _opening.WaitAsync(bound.Token).ConfigureAwait(false);
            try
            {
                // Longer each time: a machine that is busy is not helped by questions that come faster than its answers.
                for (TimeSpan attempt = FirstAttempt; ; attempt *= 2)
                {
                    bound.Token.ThrowIfCancellationRequested();
                    if (_connection is { IsAlive: true } connection)
                        return connection;
                    try
                    {
                        return await AttemptAsync(attempt, bound.Token).ConfigureAwait(false);
                    }
                    catch (Exception e) when (e is IOException or ProtocolViolationException || (e is OperationCanceledException && !bound.IsCancellationRequested))
                    {
                        last = e;
                        await Task.Delay(Pause, bound.Token).ConfigureAwait(false);
                    }
                }
            }
            finally
            {
                _opening.Release();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            string why = _gone.IsCancellationRequested ? "it has been removed or let go" : $"its agent did not answer within {patience.TotalSeconds:0.#} s{(last is null ? "" : $" ({last.Message})")}";
            throw new StacyVMException(ProblemKind.SandboxGone, $"sandbox {id}: {why}", last);
        }
    }

    private async Task<AgentConnection> AttemptAsync(TimeSpan patience, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(patience);
        Stream stream = await open(bound.Token).ConfigureAwait(false);
        AgentConnection connection = await AgentConnection.OpenKeptAsync(stream, id, Token, bound.Token).ConfigureAwait(false);
        Volatile.Write(ref _connection, connection);
        // Disposed of meanwhile: nobody would end it.
        if (_gone.IsCancellationRequested)
            connection.Abort(new IOException("the server lets go of the sandbox"));
        return connection;
    }
}
