using StacyVM.Agent.Connection;
using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Files;

/// <summary>
/// A channel whose work runs on a thread. The loop's side hands over input and credit; the thread's side blocks until there is some, so a
/// slow reader or a slow disk holds up one thread and nothing else.
/// </summary>
internal sealed unsafe class WorkChannel(AgentConnection connection, uint number, EventLoop loop, Workers workers, IOperation operation)
    : Channel(connection, number)
{
    private const int MostBlocks = 3;
    private const int SmallBlock = 16 * 1024;

    private readonly object _gate = new();
    private readonly Stack<FrameBlock> _free = new();
    private readonly Queue<FrameBlock> _ready = new();
    private readonly RecordWriter _body = new(64), _record = new();
    private ByteQueue _arrived = new(), _taken = new();
    private FrameBlock? _open;
    private Action? _deliver;
    private int _openCount, _blocks, _inFlight;
    private long _credit;
    private bool _inputEnded, _givenUp;

    /// <summary>Body of the Closed frame; filled by the operation.</summary>
    internal RecordWriter Body => _body;

    internal override void OnOpened()
    {
        OnWritable();
        workers.Run(Work);
    }

    internal override void OnWritable()
    {
        lock (_gate)
        {
            _credit += SendCredit;
            SendCredit = 0;
            Monitor.Pulse(_gate);
        }
    }

    internal override void OnEnd()
    {
        lock (_gate)
        {
            _inputEnded = true;
            Monitor.Pulse(_gate);
        }
    }

    internal override void OnCancel() => GiveUp();

    internal override void OnLost() => GiveUp();

    /// <summary>Thread: throws when nobody wants the result any more. For loops that touch the channel seldom.</summary>
    internal void ThrowIfGivenUp()
    {
        if (Volatile.Read(ref _givenUp))
            throw new OperationFailure(AgentStatus.Cancelled, "");
    }

    /// <summary>Thread: the operation has begun.</summary>
    internal void SendReply(ReadOnlySpan<byte> payload)
    {
        byte[] copy = payload.ToArray();
        loop.Mailbox.Post(() =>
        {
            if (!Connection.HasEnded)
                Reply(copy);
        });
    }

    /// <summary>Thread: the next input of the host, valid until the next call; empty at its end.</summary>
    internal ReadOnlySpan<byte> NextInput()
    {
        int consumed = _taken.Count;
        _taken.Take(consumed);
        if (consumed > 0)
            loop.Mailbox.Post(() =>
            {
                if (!Connection.HasEnded)
                    Consumed(consumed);
            });
        lock (_gate)
        {
            while (_arrived.IsEmpty && !_inputEnded && !_givenUp)
                Monitor.Wait(_gate);
            ThrowIfGivenUp();
            (_arrived, _taken) = (_taken, _arrived);
        }
        return _taken.Bytes;
    }

    /// <summary>Thread: room for output of up to <paramref name="wanted"/> bytes, as credit allows; filled and given to <see cref="SendOutput"/>.</summary>
    internal Span<byte> ReserveOutput(long wanted)
    {
        FrameBlock block = TakeBlock((int)Math.Min(wanted, AgentProtocol.MaxPayload));
        lock (_gate)
        {
            while (_credit == 0 && !_givenUp)
                Monitor.Wait(_gate);
            ThrowIfGivenUp();
            return new Span<byte>(block.Payload, (int)Math.Min(Math.Min(block.Capacity, wanted), _credit));
        }
    }

    internal void SendOutput(int count)
    {
        FrameBlock block = _open!;
        _open = null;
        block.Fill(Number, count);
        lock (_gate)
        {
            _credit -= count;
            _inFlight++;
            _ready.Enqueue(block);
            if (_ready.Count > 1)
                return;
        }
        loop.Mailbox.Post(_deliver ??= Deliver);
    }

    /// <summary>Thread: one record; those that come together share a frame, none is cut in two.</summary>
    internal void SendRecord(Action<RecordWriter> write)
    {
        _record.Clear();
        write(_record);
        if (_open is not null && _openCount + _record.Length > _open.Capacity)
            FlushRecords();
        FrameBlock block = _open ?? TakeBlock(SmallBlock);
        _record.Written.CopyTo(new Span<byte>(block.Payload + _openCount, block.Capacity - _openCount));
        _openCount += _record.Length;
    }

    internal void FlushRecords()
    {
        if (_openCount == 0)
            return;
        lock (_gate)
        {
            while (_credit < _openCount && !_givenUp)
                Monitor.Wait(_gate);
            ThrowIfGivenUp();
        }
        int count = _openCount;
        _openCount = 0;
        SendOutput(count);
    }

    protected override void OnData(ReadOnlySpan<byte> data)
    {
        lock (_gate)
        {
            if (_givenUp || _inputEnded)
                return;
            _arrived.Add(data);
            Monitor.Pulse(_gate);
        }
    }

    private void GiveUp()
    {
        lock (_gate)
        {
            _givenUp = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Work()
    {
        AgentStatus status = AgentStatus.Ok;
        string message = "";
        try
        {
            operation.Run(this);
            FlushRecords();
        }
        catch (OperationFailure failure)
        {
            (status, message) = (failure.Status, failure.Message);
        }
        catch (Exception fault)
        {
            (status, message) = (AgentStatus.IoError, fault is OutOfMemoryException ? "the agent has no memory left" : "a fault in the agent");
        }
        // The last word comes after all output: blocks that still lie before the socket are waited for.
        lock (_gate)
        {
            while (_inFlight > 0)
                Monitor.Wait(_gate);
        }
        loop.Mailbox.Post(() => Finish(status, message));
    }

    private void Finish(AgentStatus status, string message)
    {
        if (!Connection.HasEnded)
            Close(status, message, status == AgentStatus.Ok ? _body.Written : []);
        _open?.Dispose();
        while (_free.TryPop(out FrameBlock? block))
            block.Dispose();
        _arrived.Dispose();
        _taken.Dispose();
    }

    private FrameBlock TakeBlock(int capacity)
    {
        if (_open is not null)
            return _open;
        lock (_gate)
        {
            while (_free.Count == 0 && _blocks == MostBlocks && !_givenUp)
                Monitor.Wait(_gate);
            ThrowIfGivenUp();
            if (_free.TryPop(out FrameBlock? block))
                return _open = block;
            _blocks++;
        }
        return _open = new FrameBlock(capacity, OnReturned);
    }

    private void OnReturned(FrameBlock block)
    {
        lock (_gate)
        {
            _inFlight--;
            _free.Push(block);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Loop: takes what the thread has filled.</summary>
    private void Deliver()
    {
        while (true)
        {
            FrameBlock? block;
            lock (_gate)
            {
                if (!_ready.TryDequeue(out block))
                    return;
            }
            if (Connection.HasEnded)
                OnReturned(block);
            else
                Connection.Outbox.Block(block);
        }
    }
}
