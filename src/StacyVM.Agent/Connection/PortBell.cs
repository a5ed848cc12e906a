using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;

namespace StacyVM.Agent.Connection;

/// <summary>
/// An open port of the machine on whose other side there may be nobody yet. The kernel tells that by a hang-up which lasts until somebody
/// comes, so changes are listened for and not states; the host, who speaks first, ends the wait.
/// </summary>
internal sealed class PortBell : IEventHandler
{
    private readonly EventLoop _loop;
    private readonly Action<int, int> _connected;

    internal PortBell(EventLoop loop, int port, Action<int, int> connected)
    {
        (_loop, _connected) = (loop, connected);
        loop.Add(port, EpollEvents.In | EpollEvents.EdgeTriggered, this);
    }

    public void OnReady(int descriptor, uint events)
    {
        if ((events & EpollEvents.In) == 0)
            return;
        _loop.Remove(descriptor);
        _connected(descriptor, descriptor);
    }
}
