using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>
/// One operation on a connection. One reader (reply, data, close) and one writer at a time; closing is safe from anywhere. What the reader does
/// not take stays within the window and stalls this channel alone.
/// </summary>
internal sealed class AgentChannel
{
    private readonly AgentConnection _connection;
    private readonly uint _number;
    private readonly object _gate = new();
    private readonly ChannelBuffer _buffer = new();
    private readonly Waiter _reader;
    private Waiter? _writer;
    private Waiter? _turn;
    private TaskCompletionSource? _over;

    private int _receiveWindow = AgentProtocol.InitialWindow;
    private int _consumed;
    private long _credit = AgentProtocol.InitialWindow;
    private byte[]? _reply;
    private bool _ended;
    private bool _abandoned;
    private ClosedMessage? _closed;
    private Exception? _failure;

    public AgentChannel(AgentConnection connection, uint number)
    {
        _connection = connection;
        _number = number;
        _reader = new Waiter(_gate);
    }

    /// <summary>Waits until the operation has begun.</summary>
    /// <returns>The kind's reply.</returns>
    /// <exception cref="AgentRefusal">The agent closed the channel instead.</exception>
    public async ValueTask<byte[]> ReplyAsync(CancellationToken cancellation)
    {
        while (true)
        {
            ValueTask arrival;
            lock (_gate)
            {
                if (_reply is { } reply)
                    return reply;
                ThrowIfFailed();
                if (_closed is { } closed)
                    throw AgentRefusal.From(closed);
                arrival = _reader.Arm();
            }
            await _reader.WaitAsync(arrival, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The next piece of data, valid until the next read; null when there will be none.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<ChannelPiece?> ReadAsync(CancellationToken cancellation)
    {
        while (true)
        {
            ValueTask arrival = default;
            ChannelPiece piece = default;
            int credit = 0;
            lock (_gate)
            {
                if (!_abandoned && _buffer.TryTake(out piece))
                {
                    credit = Consumed(piece.Data.Length);
                }
                else
                {
                    ThrowIfFailed();
                    if (_ended || _closed is not null)
                        return null;
                    arrival = _reader.Arm();
                }
            }
            if (!piece.Data.IsEmpty)
            {
                ReturnCredit(credit);
                return piece;
            }
            await _reader.WaitAsync(arrival, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The last frame. Data that was not read is dropped.</summary>
    public async ValueTask<ClosedMessage> ClosedAsync(CancellationToken cancellation)
    {
        while (true)
        {
            ValueTask arrival;
            int credit = 0;
            lock (_gate)
            {
                if (_closed is { } closed)
                    return closed;
                ThrowIfFailed();
                while (_buffer.TryTake(out ChannelPiece piece))
                    credit += Consumed(piece.Data.Length);
                arrival = _reader.Arm();
            }
            ReturnCredit(credit);
            await _reader.WaitAsync(arrival, cancellation).ConfigureAwait(false);
        }
    }

    /// <summary>The body of the last frame.</summary>
    /// <exception cref="AgentRefusal">The operation failed.</exception>
    public async ValueTask<byte[]> BodyAsync(CancellationToken cancellation)
    {
        ClosedMessage closed = await ClosedAsync(cancellation).ConfigureAwait(false);
        return closed.Status == AgentStatus.Ok ? closed.Body : throw AgentRefusal.From(closed);
    }

    /// <summary>Sends data as credit allows.</summary>
    /// <returns>False when the agent closed the channel first: nobody reads any more.</returns>
    public async ValueTask<bool> WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellation)
    {
        while (!data.IsEmpty)
        {
            int count;
            ValueTask creditCame = default;
            lock (_gate)
            {
                ThrowIfFailed();
                if (_closed is not null)
                    return false;
                count = (int)Math.Min(Math.Min(_credit, data.Length), AgentProtocol.MaxPayload);
                _credit -= count;
                if (count == 0)
                    creditCame = (_writer ??= new Waiter(_gate)).Arm();
            }
            if (count == 0)
            {
                await _writer!.WaitAsync(creditCame, cancellation).ConfigureAwait(false);
                continue;
            }
            try
            {
                await _connection.Writer.WriteDataAsync(_number, data[..count], _turn ??= new Waiter(this)).ConfigureAwait(false);
            }
            catch (IOException e)
            {
                throw _connection.Gone(e.InnerException ?? e);
            }
            data = data[count..];
        }
        return true;
    }

    /// <summary>No more data from this side.</summary>
    public void End() => _connection.Writer.Post(FrameType.End, _number, []);

    public void Control(ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            ThrowIfFailed();
            if (_closed is not null)
                return;
        }
        _connection.Writer.Post(FrameType.Control, _number, payload);
    }

    /// <summary>Asks the agent to give up and waits until it says that it has, for so long at most. Whoever still reads or writes is told.</summary>
    public ValueTask CancelAsync(TimeSpan patience) => LeaveAsync(FrameType.Cancel, [], patience);

    /// <summary>Lets go of a process that runs on; waits as <see cref="CancelAsync"/> does.</summary>
    public ValueTask DetachAsync(TimeSpan patience) => LeaveAsync(FrameType.Control, [(byte)ControlVerb.Detach], patience);

    /// <summary>Lets go of the channel: gives its memory back and, when it is not closed, forgets it after asking the agent to give up.</summary>
    public void Drop()
    {
        if (Abandon() && _connection.IsAlive)
        {
            _connection.Forget(_number);
            _connection.Writer.Post(FrameType.Cancel, _number, []);
        }
    }

    /// <summary>How it ended, when it has.</summary>
    public ClosedMessage? Closed
    {
        get
        {
            lock (_gate)
                return _closed;
        }
    }

    internal void OnReply(ReadOnlySpan<byte> payload, List<Waiter> woken)
    {
        lock (_gate)
        {
            if (_reply is not null)
                throw new ProtocolViolationException("a channel has one reply");
            _reply = payload.ToArray();
            if (_reader.Disarm())
                woken.Add(_reader);
        }
    }

    internal void OnData(DataStream stream, ReadOnlySpan<byte> payload, List<Waiter> woken)
    {
        int credit = 0;
        lock (_gate)
        {
            if (Admit(stream, payload.Length, ref credit))
            {
                _buffer.Append(stream, payload);
                if (_reader.Disarm())
                    woken.Add(_reader);
            }
        }
        ReturnCredit(credit);
    }

    /// <returns>True when the array now belongs to the channel.</returns>
    internal bool OnLargeData(DataStream stream, byte[] rented, int length, List<Waiter> woken)
    {
        int credit = 0;
        bool taken;
        lock (_gate)
        {
            taken = Admit(stream, length, ref credit);
            if (taken)
            {
                _buffer.Append(stream, rented, length);
                if (_reader.Disarm())
                    woken.Add(_reader);
            }
        }
        ReturnCredit(credit);
        return taken;
    }

    internal void OnEnd(List<Waiter> woken)
    {
        lock (_gate)
        {
            _ended = true;
            if (_reader.Disarm())
                woken.Add(_reader);
        }
    }

    internal void OnCredit(uint bytes, List<Waiter> woken)
    {
        lock (_gate)
        {
            _credit += bytes;
            if (_credit > int.MaxValue)
                throw new ProtocolViolationException("more credit than any window");
            if (_writer?.Disarm() == true)
                woken.Add(_writer);
        }
    }

    internal void OnClosed(ClosedMessage closed, List<Waiter> woken)
    {
        lock (_gate)
        {
            _closed = closed;
            _over?.TrySetResult();
            if (_reader.Disarm())
                woken.Add(_reader);
            if (_writer?.Disarm() == true)
                woken.Add(_writer);
        }
    }

    internal void Fail(Exception failure)
    {
        bool reader, writer;
        lock (_gate)
        {
            _failure ??= failure;
            _over?.TrySetResult();
            reader = _reader.Disarm();
            writer = _writer?.Disarm() == true;
        }
        if (reader)
            _reader.Queue();
        if (writer)
            _writer!.Queue();
    }

    private async ValueTask LeaveAsync(FrameType type, byte[] payload, TimeSpan patience)
    {
        Task over;
        if (!Abandon())
            return;
        lock (_gate)
        {
            if (_closed is not null || _failure is not null)
                return;
            _over ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            over = _over.Task;
        }
        _connection.Writer.Post(type, _number, payload);
        try
        {
            await over.WaitAsync(patience).ConfigureAwait(false);
        }
        catch (TimeoutException)
        {
            _connection.Forget(_number);
        }
    }

    /// <returns>False when the channel had ended by itself, so that nothing is left to cancel.</returns>
    private bool Abandon()
    {
        bool reader, writer, open;
        lock (_gate)
        {
            if (_abandoned)
                return false;
            _abandoned = true;
            open = _closed is null && _failure is null;
            _buffer.Clear();
            reader = _reader.Disarm();
            writer = _writer?.Disarm() == true;
        }
        if (reader)
            _reader.Queue();
        if (writer)
            _writer!.Queue();
        return open;
    }

    private bool Admit(DataStream stream, int length, ref int credit)
    {
        if (stream == DataStream.Input)
            throw new ProtocolViolationException("the agent sent data on the host's stream");
        _receiveWindow -= length;
        if (_receiveWindow < 0)
            throw new ProtocolViolationException("the agent sent more than it had credit for");
        if (!_abandoned)
            return length > 0;
        // Nobody reads any more, but the agent must not wait for credit before it sees the Cancel.
        credit = Consumed(length);
        return false;
    }

    /// <summary>Under the gate: counts what was read. Returns the credit to give back: none until it is half a window.</summary>
    private int Consumed(int length)
    {
        _consumed += length;
        if (_consumed < AgentProtocol.InitialWindow / 2 || _closed is not null || _ended)
            return 0;
        int credit = _consumed;
        _consumed = 0;
        _receiveWindow += credit;
        return credit;
    }

    private void ReturnCredit(int bytes)
    {
        if (bytes == 0)
            return;
        Span<byte> payload = stackalloc byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(payload, bytes);
        _connection.Writer.Post(FrameType.Credit, _number, payload);
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw _connection.Gone(failure);
        ObjectDisposedException.ThrowIf(_abandoned, this);
    }
}
