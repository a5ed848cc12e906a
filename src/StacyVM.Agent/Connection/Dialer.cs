using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;

namespace StacyVM.Agent.Connection;

/// <summary>
/// Finds the host, again and again. A Unix socket's directory is watched, so that a restarted server is found within milliseconds; a slow
/// poll stands behind the watch, for file systems that tell nothing.
/// </summary>
internal sealed class Dialer(EventLoop loop, DialAddress address, Action<int, int> connected)
{
    private const int ShortestWait = 20, LongestWait = 5_000;
    private int _wait = ShortestWait;
    private Loop.Timer? _next;
    private DirectoryBell? _bell;

    /// <summary>The streams of the process itself cannot be dialled twice.</summary>
    internal bool CanRedial => address.Kind != DialKind.StandardStreams;

    internal void Start() => Attempt();

    /// <summary>Tries again: at once after a connection that worked, with growing patience after one that the peer did not want.</summary>
    internal void Redial(bool wasWelcome)
    {
        if (wasWelcome)
        {
            _wait = ShortestWait;
            Attempt();
        }
        else
        {
            Later();
        }
    }

    /// <summary>The peer answered as a host does.</summary>
    internal void Succeeded() => _wait = ShortestWait;

    private void Attempt()
    {
        loop.Timers.Stop(ref _next);
        (int input, int output) = Streams.Open(address);
        if (input < 0 && address.Kind == DialKind.Unix && _bell is null)
        {
            // The watch stands before the second look: a socket made in between is not missed.
            _bell = DirectoryBell.Create(loop, address.Path.Parent, Heard);
            (input, output) = Streams.Open(address);
        }
        if (input < 0)
        {
            Later();
            return;
        }
        _bell?.Dispose();
        _bell = null;
        if (address.Kind == DialKind.Serial)
            _ = new PortBell(loop, input, connected);
        else
            connected(input, output);
    }

    private void Later()
    {
        loop.Timers.Stop(ref _next);
        _next = loop.Timers.Start(_wait, Attempt);
        _wait = Math.Min(_wait * 2, LongestWait);
    }

    /// <summary>A server binds its socket a moment before it listens: after the sound, look often for a short while.</summary>
    private void Heard()
    {
        _wait = 1;
        Attempt();
    }
}
