using System.Buffers;
using System.Runtime.CompilerServices;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>
/// The receiving half of a connection: cuts the stream into frames. An idle connection holds a small buffer; a busy one borrows a large one, and
/// the rest of a large Data frame is received straight into the array that its reader will see.
/// </summary>
/// <remarks>
/// Parties that a frame wakes run on the receiving thread, but only after the next receive has been handed to the kernel: they get their answer
/// without a hop to another thread, and can never hold up the frames behind it.
/// </remarks>
internal sealed class FrameReceiver
{
    private const int IdleBuffer = 4 * 1024;
    private const int BusyBuffer = 64 * 1024;

    /// <summary>From this payload size on, a Data frame gets an array of its own.</summary>
    private const int LargePayload = 16 * 1024;

    private readonly Stream _stream;
    private readonly AgentConnection _connection;
    private readonly Action _received;
    private readonly byte[] _idle = GC.AllocateUninitializedArray<byte>(IdleBuffer, pinned: true);
    private byte[] _buffer;
    private int _start;
    private int _end;

    private FrameHeader _largeHeader;
    private byte[]? _large;
    private int _largeFilled;

    private readonly List<Waiter> _woken = new(2);
    private ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter _pending;

    public FrameReceiver(Stream stream, AgentConnection connection)
    {
        _stream = stream;
        _connection = connection;
        _buffer = _idle;
        _received = OnReceived;
    }

    /// <summary>Begins to receive; returns at once. The end is told by <see cref="AgentConnection.Abort"/>.</summary>
    public void Start() => Run(null);

    private void OnReceived()
    {
        int count;
        try
        {
            count = _pending.GetResult();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            End(e);
            return;
        }
        Run(count);
    }

    private void Run(int? received)
    {
        try
        {
            while (true)
            {
                if (received is { } count)
                {
                    if (count == 0)
                        throw new EndOfStreamException("the agent closed the connection");
                    Accept(count);
                }
                ConfiguredValueTaskAwaitable<int>.ConfiguredValueTaskAwaiter next = _stream.ReadAsync(Target()).ConfigureAwait(false).GetAwaiter();
                if (!next.IsCompleted)
                {
                    // The callback may run on another thread at once: no field is touched after it is registered.
                    Waiter? first = TakeWoken();
                    _pending = next;
                    next.UnsafeOnCompleted(_received);
                    first?.Execute();
                    return;
                }
                foreach (Waiter waiter in _woken)
                    waiter.Queue();
                _woken.Clear();
                received = next.GetResult();
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException or ProtocolViolationException)
        {
            End(e);
        }
    }

    /// <summary>The first runs here; if there are more, they are on their way to other threads before it begins.</summary>
    private Waiter? TakeWoken()
    {
        if (_woken.Count == 0)
            return null;
        for (int i = 1; i < _woken.Count; i++)
            _woken[i].Queue();
        Waiter first = _woken[0];
        _woken.Clear();
        return first;
    }

    private void End(Exception reason)
    {
        foreach (Waiter waiter in _woken)
            waiter.Queue();
        _woken.Clear();
        if (_large is { } large)
        {
            _large = null;
            ArrayPool<byte>.Shared.Return(large);
        }
        ReturnBuffer();
        _connection.Abort(reason);
    }

    /// <summary>Where the next bytes go: the large frame under way, else the free part of the buffer.</summary>
    private Memory<byte> Target()
    {
        if (_large is { } large)
            return large.AsMemory(_largeFilled, _largeHeader.Length - _largeFilled);
        return _buffer.AsMemory(_end);
    }

    private void Accept(int count)
    {
        if (_large is { } large)
        {
            _largeFilled += count;
            if (_largeFilled == _largeHeader.Length)
            {
                _large = null;
                _connection.OnLargeData(_largeHeader, large, _woken);
            }
            return;
        }
        _end += count;
        bool full = _end == _buffer.Length;
        Parse();
        MakeRoom(full);
    }

    private void Parse()
    {
        while (_end - _start >= FrameHeader.Size)
        {
            if (!FrameHeader.TryRead(_buffer.AsSpan(_start), out FrameHeader header))
                throw new ProtocolViolationException("the agent sent a malformed frame header");
            int available = _end - _start - FrameHeader.Size;
            if (available >= header.Length)
            {
                _connection.OnFrame(header, _buffer.AsSpan(_start + FrameHeader.Size, header.Length), _woken);
                _start += FrameHeader.Size + header.Length;
                continue;
            }
            if (header.Type == FrameType.Data && header.Length >= LargePayload)
            {
                _large = ArrayPool<byte>.Shared.Rent(header.Length);
                _largeHeader = header;
                _largeFilled = available;
                _buffer.AsSpan(_start + FrameHeader.Size, available).CopyTo(_large);
                _start = _end;
            }
            return;
        }
    }

    /// <summary>Moves the incomplete frame to the front, of a larger buffer when it needs one or the traffic is dense, of the small one when it is not.</summary>
    private void MakeRoom(bool wasFull)
    {
        int rest = _end - _start;
        int needed = rest;
        if (_large is null && rest >= FrameHeader.Size && FrameHeader.TryRead(_buffer.AsSpan(_start), out FrameHeader header))
            needed = FrameHeader.Size + header.Length;
        if (wasFull)
            needed = Math.Max(needed, BusyBuffer);
        byte[] old = _buffer;
        if (needed > old.Length)
            _buffer = ArrayPool<byte>.Shared.Rent(needed);
        else if (old != _idle && !wasFull && needed < IdleBuffer && _large is null)
            _buffer = _idle;
        if (old != _buffer || _start > 0)
            old.AsSpan(_start, rest).CopyTo(_buffer);
        _start = 0;
        _end = rest;
        if (old != _buffer && old != _idle)
            ArrayPool<byte>.Shared.Return(old);
    }

    private void ReturnBuffer()
    {
        byte[] old = _buffer;
        _buffer = _idle;
        if (old != _idle)
            ArrayPool<byte>.Shared.Return(old);
    }
}
