using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Loop;

/// <summary>How other threads speak to the loop: what they post runs on its thread, in order.</summary>
internal sealed unsafe class Mailbox : IEventHandler
{
    private readonly int _bell;
    private readonly Lock _gate = new();
    private List<Action> _posted = [], _running = [];

    internal Mailbox(EventLoop loop)
    {
        _bell = Libc.EventCounter(0, OpenFlags.CloseOnExec | OpenFlags.NonBlocking);
        loop.Add(_bell, EpollEvents.In, this);
    }

    internal void Post(Action action)
    {
        bool first;
        lock (_gate)
        {
            first = _posted.Count == 0;
            _posted.Add(action);
        }
        // Only the first of a batch rings: the loop takes all of them at once.
        if (!first)
            return;
        ulong one = 1;
        Libc.Write(_bell, &one, 8);
    }

    public void OnReady(int descriptor, uint events)
    {
        ulong rung;
        Libc.Read(_bell, &rung, 8);
        lock (_gate)
            (_posted, _running) = (_running, _posted);
        foreach (Action action in _running)
            action();
        _running.Clear();
    }
}
