using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;

namespace StacyVM.Agent.Processes;

/// <summary>The writing end of a command's stdin: a pipe, or the terminal.</summary>
internal sealed class CommandInput : IEventHandler
{
    private readonly EventLoop _loop;
    private readonly bool _terminal;
    private readonly WriteQueue _queue;
    private readonly Queue<(ProcessChannel Channel, int Count)> _senders = new();
    private int _fd;
    private bool _watched, _ending;

    /// <summary>Takes over the descriptor.</summary>
    internal CommandInput(EventLoop loop, int fd, bool terminal)
    {
        (_loop, _fd, _terminal) = (loop, fd, terminal);
        _queue = new WriteQueue(Written);
        Descriptor.SetNonBlocking(fd);
    }

    internal void Add(ProcessChannel sender, ReadOnlySpan<byte> bytes)
    {
        _senders.Enqueue((sender, bytes.Length));
        if (_fd < 0 || _ending || !_queue.Add(_fd, bytes))
        {
            // Nobody reads any more. What comes now is taken and dropped, as a closed pipe does to a program that ignores the signal.
            Close();
            Written(bytes.Length);
            return;
        }
        Watch();
    }

    /// <summary>No more will come: the command sees the end when it has read what is there.</summary>
    internal void End()
    {
        if (_fd < 0 || _ending)
            return;
        if (_terminal)
        {
            // The end-of-file character only sends on what a line holds so far; at the start of a line it is the end.
            _queue.Add(_fd, _queue.Last is 0 or (byte)'\n' ? "\u0004"u8 : "\u0004\u0004"u8);
            Watch();
            return;
        }
        _ending = true;
        if (_queue.IsEmpty)
            Close();
    }

    public void OnReady(int descriptor, uint events)
    {
        if (!_queue.Resume(_fd) || (_ending && _queue.IsEmpty))
            Close();
        else
            Watch();
    }

    internal void Close()
    {
        _loop.Close(ref _fd);
        _queue.Abandon();
    }

    private void Watch()
    {
        if (_watched == !_queue.IsEmpty)
            return;
        _watched = !_watched;
        if (_watched)
            _loop.Add(_fd, EpollEvents.Out, this);
        else
            _loop.Remove(_fd);
    }

    private void Written(int count)
    {
        while (count > 0 && _senders.TryDequeue(out (ProcessChannel Channel, int Count) sender))
        {
            int part = Math.Min(count, sender.Count);
            sender.Channel.InputConsumed(part);
            count -= part;
            if (part < sender.Count)
                PushBack(sender.Channel, sender.Count - part);
        }
    }

    private void PushBack(ProcessChannel channel, int count)
    {
        int others = _senders.Count;
        _senders.Enqueue((channel, count));
        for (int i = 0; i < others; i++)
            _senders.Enqueue(_senders.Dequeue());
    }
}
