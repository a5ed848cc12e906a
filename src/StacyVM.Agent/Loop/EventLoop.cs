using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Loop;

/// <summary>Something with a descriptor that the loop watches.</summary>
internal interface IEventHandler
{
    /// <summary>Called on the loop's thread with the epoll events that are true.</summary>
    void OnReady(int descriptor, uint events);
}

/// <summary>One thread that waits for everything: descriptors, timers, and words from other threads. Level-triggered.</summary>
internal sealed unsafe class EventLoop
{
    private const int Batch = 64;
    private readonly int _epoll;
    private Slot[] _slots = new Slot[32];
    private uint _generation;

    internal EventLoop()
    {
        _epoll = Libc.EpollCreate(OpenFlags.CloseOnExec);
        if (_epoll < 0)
            throw OperationFailure.Of(Errno.Last, "epoll");
        Mailbox = new Mailbox(this);
    }

    internal Timers Timers { get; } = new();

    internal Mailbox Mailbox { get; }

    internal void Add(int fd, uint events, IEventHandler handler)
    {
        if (fd >= _slots.Length)
            Array.Resize(ref _slots, Math.Max(fd + 1, _slots.Length * 2));
        _slots[fd] = new Slot(handler, ++_generation);
        EpollEvent change = new() { Events = events, Token = Token(fd) };
        if (Libc.EpollControl(_epoll, EpollEvents.Add, fd, &change) != 0)
            throw OperationFailure.Of(Errno.Last, "epoll_ctl");
    }

    internal void Change(int fd, uint events)
    {
        EpollEvent change = new() { Events = events, Token = Token(fd) };
        Libc.EpollControl(_epoll, EpollEvents.Modify, fd, &change);
    }

    internal void Remove(int fd)
    {
        _slots[fd] = default;
        Libc.EpollControl(_epoll, EpollEvents.Delete, fd, null);
    }

    /// <summary>Stops watching a descriptor and closes it; -1 is none.</summary>
    internal void Close(ref int fd)
    {
        if (fd >= 0)
        {
            if (fd < _slots.Length && _slots[fd].Handler is not null)
                Remove(fd);
            Libc.Close(fd);
        }
        fd = -1;
    }

    /// <summary>Waits for the next events and hands them out.</summary>
    internal void Turn()
    {
        EpollEvent* events = stackalloc EpollEvent[Batch];
        int count = Libc.EpollWait(_epoll, events, Batch, Timers.MillisecondsToNext());
        for (int i = 0; i < count; i++)
        {
            int fd = (int)(uint)events[i].Token;
            Slot slot = _slots[fd];
            // The number may have been closed and given out again by an earlier event of this batch.
            if (slot.Handler is not null && slot.Generation == (uint)(events[i].Token >> 32))
                Handle(slot.Handler, fd, events[i].Events);
        }
        Timers.RunDue();
    }

    /// <summary>A handler that fails loses its place in the loop; the others go on.</summary>
    private void Handle(IEventHandler handler, int fd, uint events)
    {
        try
        {
            handler.OnReady(fd, events);
        }
        catch (Exception fault)
        {
            Descriptor.Complain("a fault: " + fault.Message);
            if (_slots[fd].Handler == handler)
                Remove(fd);
        }
    }

    private ulong Token(int fd) => (ulong)_slots[fd].Generation << 32 | (uint)fd;

    private readonly record struct Slot(IEventHandler? Handler, uint Generation);
}
