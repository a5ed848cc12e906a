using System.Net.Sockets;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>
/// A Unix socket on which one sandbox's agent dials in, and redials when the server comes back. Idle it costs a descriptor: no thread, no timer. A peer
/// that does not prove itself is bounded in number, time and rate, and never displaces the agent.
/// </summary>
internal sealed partial class AgentListener : IAgentLink
{
    /// <summary>Name of the socket in <see cref="SocketDirectory"/>.</summary>
    public const string SocketName = "agent.sock";

    private const int Backlog = 64;
    private const int UnprovedPeers = 8;
    private const int FreeFailures = 32;
    private static readonly TimeSpan HandshakeBound = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FailureDelay = TimeSpan.FromMilliseconds(20);

    private readonly object _gate = new();
    private readonly string _id;
    private readonly string _token;
    private readonly Socket _socket;
    private readonly ILogger _log;
    private readonly AgentRendezvous _rendezvous;
    private readonly LinkedList<Socket> _unproved = new();
    private int _failures;
    private bool _disposed;
    private Action? _onDispose;

    private AgentListener(string id, string token, string directory, Socket socket, ILogger log, Action? onDispose)
    {
        _id = id;
        _token = token;
        _socket = socket;
        _log = log;
        _onDispose = onDispose;
        _rendezvous = new AgentRendezvous(id);
        SocketDirectory = directory;
    }

    /// <summary>The directory that is bound into the sandbox, read-only.</summary>
    public string SocketDirectory { get; }

    /// <summary>Host process id of the agent that connected last; 0 before the first, or when it cannot be seen from here.</summary>
    public int PeerPid { get; private set; }

    /// <summary>Binds and begins to accept.</summary>
    /// <param name="id">The sandbox.</param>
    /// <param name="token">What its agent presents.</param>
    /// <param name="directory">Where the socket lies; made when absent.</param>
    /// <param name="owner">Host user that alone may connect; null: whoever reaches the path.</param>
    /// <param name="log">For refused peers.</param>
    /// <param name="onDispose">Called once.</param>
    public static AgentListener Bind(string id, string token, string directory, uint? owner, ILogger log, Action? onDispose = null)
    {
        AgentHost.MakePassage(directory);
        var listener = new AgentListener(id, token, directory, UnixListener.Bind(directory, SocketName, owner, Backlog), log, onDispose);
        _ = listener.AcceptAsync();
        return listener;
    }

    /// <inheritdoc />
    public ValueTask<AgentConnection> GetAsync(CancellationToken cancellation) => _rendezvous.GetAsync(AgentRendezvous.Patience, cancellation);

    /// <summary>As <see cref="IAgentLink.GetAsync"/>, with another bound: a first start may take longer than a redial.</summary>
    public ValueTask<AgentConnection> GetAsync(TimeSpan patience, CancellationToken cancellation) => _rendezvous.GetAsync(patience, cancellation);

    public ValueTask DisposeAsync()
    {
        Socket[] unproved;
        lock (_gate)
        {
            if (_disposed)
                return default;
            _disposed = true;
            unproved = [.. _unproved];
        }
        // The socket's file stays: after a restart the next server binds there, and a sandbox that is removed takes its directory along.
        _socket.Dispose();
        foreach (Socket peer in unproved)
            peer.Dispose();
        _rendezvous.Close();
        Interlocked.Exchange(ref _onDispose, null)?.Invoke();
        return default;
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            Socket peer;
            try
            {
                peer = await _socket.AcceptAsync().ConfigureAwait(false);
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException)
            {
                if (_disposed)
                    return;
                // Out of descriptors or memory: the backlog holds the agent meanwhile.
                LogAcceptFailed(_id, e.Message);
                await Task.Delay(TimeSpan.FromMilliseconds(200)).ConfigureAwait(false);
                continue;
            }
            Admit(peer);
            if (Volatile.Read(ref _failures) > FreeFailures)
                await Task.Delay(FailureDelay).ConfigureAwait(false);
        }
    }

    /// <summary>Bounds those who have not proved themselves: the newest displaces the oldest, so a silent crowd locks nobody out.</summary>
    private void Admit(Socket peer)
    {
        Socket? oldest = null;
        LinkedListNode<Socket> node;
        lock (_gate)
        {
            if (_disposed)
            {
                peer.Dispose();
                return;
            }
            if (_unproved.Count >= UnprovedPeers)
            {
                oldest = _unproved.First!.Value;
                _unproved.RemoveFirst();
            }
            node = _unproved.AddLast(peer);
        }
        oldest?.Dispose();
        _ = WelcomeAsync(peer, node);
    }

    private async Task WelcomeAsync(Socket peer, LinkedListNode<Socket> node)
    {
        try
        {
            int pid = UnixListener.PeerPid(peer);
            using var bound = new CancellationTokenSource(HandshakeBound);
            AgentConnection connection = await AgentConnection.OpenAsync(new NetworkStream(peer, ownsSocket: true), _id, _token, bound.Token).ConfigureAwait(false);
            Interlocked.Exchange(ref _failures, 0);
            PeerPid = pid;
            _rendezvous.Offer(connection);
        }
        catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException or OperationCanceledException or ProtocolViolationException)
        {
            peer.Dispose();
            // Said a few times only: a guest can make it happen as often as it likes.
            if (Interlocked.Increment(ref _failures) <= 3 && !_disposed)
                LogRefused(_id, e.Message);
        }
        finally
        {
            lock (_gate)
            {
                if (node.List is not null)
                    _unproved.Remove(node);
            }
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, EventName = "agent.refused", Message = "sandbox {Id}: a peer on its agent socket was refused: {Reason}")]
    private partial void LogRefused(string id, string reason);

    [LoggerMessage(Level = LogLevel.Error, EventName = "agent.accept_failed", Message = "sandbox {Id}: accepting its agent failed: {Reason}")]
    private partial void LogAcceptFailed(string id, string reason);
}
