using System.Buffers;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>
/// The sending half of a connection. Frames written at the same time leave in one system call: whoever finds the wire idle owns it and writes
/// for all who come meanwhile. Large payloads go from the caller's memory straight to the kernel, in turn.
/// </summary>
internal sealed class FrameWriter(Stream stream, Action<Exception> failed)
{
    /// <summary>Payloads up to this size are copied into the batch.</summary>
    private const int SmallPayload = 8 * 1024;

    /// <summary>Data waits for its turn when the batch is larger than this.</summary>
    private const int BatchTarget = 64 * 1024;

    /// <summary>A peer that lets this much pile up does not read any more.</summary>
    private const int BatchBound = 8 * 1024 * 1024;

    /// <summary>So long may one write be stuck in the kernel before the peer counts as gone.</summary>
    private static readonly TimeSpan StallBound = TimeSpan.FromSeconds(30);

    private readonly object _gate = new();
    private readonly Queue<Waiter> _turns = new();
    private byte[] _batch = new byte[512];
    private byte[] _spare = new byte[512];
    private int _length;
    private bool _owned;
    private Exception? _failure;
    private CancellationTokenSource _stall = new();

    /// <summary>Sends a frame that needs no credit. Never waits; a failure ends the connection.</summary>
    public void Post(FrameType type, uint channel, ReadOnlySpan<byte> payload)
    {
        bool overflow;
        lock (_gate)
        {
            if (_failure is not null)
                return;
            Append(new FrameHeader(payload.Length, channel, type, DataStream.Input), payload);
            overflow = _length > BatchBound;
            if (!overflow && _owned)
                return;
            _owned = true;
        }
        if (overflow)
            failed(new IOException("the agent does not read what it is sent"));
        else
            Flush();
    }

    /// <summary>Sends a frame that may be left out when the peer reads too slowly: answers to its own pings.</summary>
    public void PostIfIdle(FrameType type, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (_length > BatchTarget)
                return;
        }
        Post(type, 0, payload);
    }

    /// <summary>Sends one Data frame for which the caller has credit. Once its turn has come it is sent whole: cutting a frame would end the connection.</summary>
    /// <param name="channel">The channel.</param>
    /// <param name="payload">At most <see cref="AgentProtocol.MaxPayload"/> bytes, unchanged until the task ends.</param>
    /// <param name="turn">The sender's own waiter, used for nothing else.</param>
    public ValueTask WriteDataAsync(uint channel, ReadOnlyMemory<byte> payload, Waiter turn)
    {
        var header = new FrameHeader(payload.Length, channel, FrameType.Data, DataStream.Input);
        ValueTask wait = default;
        bool small = false;
        lock (_gate)
        {
            ThrowIfFailed();
            if (payload.Length <= SmallPayload && _length < BatchTarget)
            {
                Append(header, payload.Span);
                small = true;
                if (_owned)
                    return default;
                _owned = true;
            }
            else if (!_owned)
            {
                _owned = true;
            }
            else
            {
                wait = turn.Arm();
                _turns.Enqueue(turn);
            }
        }
        if (small)
        {
            Flush();
            return default;
        }
        return WriteLargeAsync(wait, header, payload);
    }

    /// <summary>Ends all writing; who waits for a turn is told.</summary>
    public void Fail(Exception failure)
    {
        Waiter[] waiting;
        lock (_gate)
        {
            _failure ??= failure;
            waiting = [.. _turns];
            _turns.Clear();
        }
        foreach (Waiter waiter in waiting)
            Hand(waiter);
    }

    private async ValueTask WriteLargeAsync(ValueTask wait, FrameHeader header, ReadOnlyMemory<byte> payload)
    {
        await wait.ConfigureAwait(false);
        // From here on this caller owns the wire, unless the connection failed.
        ReadOnlyMemory<byte> batch;
        lock (_gate)
        {
            ThrowIfFailed();
            Append(header, []);
            batch = Swap();
        }
        try
        {
            await SendAsync(batch).ConfigureAwait(false);
            await SendAsync(payload).ConfigureAwait(false);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            failed(e);
            lock (_gate)
                ThrowIfFailed();
        }
        Flush();
    }

    /// <summary>As the owner: writes what has gathered, then gives the wire to the next in turn or leaves it idle.</summary>
    private void Flush()
    {
        while (true)
        {
            ReadOnlyMemory<byte> batch;
            Waiter? next = null;
            lock (_gate)
            {
                if (_failure is not null)
                    return;
                if (_length == 0 && !_turns.TryDequeue(out next))
                {
                    _owned = false;
                    return;
                }
                batch = next is null ? Swap() : default;
            }
            if (next is not null)
            {
                Hand(next);
                return;
            }
            ValueTask write = SendAsync(batch);
            if (!write.IsCompletedSuccessfully)
            {
                _ = FinishAsync(write);
                return;
            }
            write.GetAwaiter().GetResult();
        }
    }

    private async Task FinishAsync(ValueTask write)
    {
        try
        {
            await write.ConfigureAwait(false);
            Flush();
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or OperationCanceledException)
        {
            failed(e);
        }
    }

    private ValueTask SendAsync(ReadOnlyMemory<byte> bytes)
    {
        ValueTask write;
        try
        {
            write = stream.WriteAsync(bytes, _stall.Token);
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException)
        {
            return ValueTask.FromException(e);
        }
        return write.IsCompletedSuccessfully ? write : GuardAsync(write);
    }

    private async ValueTask GuardAsync(ValueTask write)
    {
        _stall.CancelAfter(StallBound);
        try
        {
            await write.ConfigureAwait(false);
        }
        finally
        {
            if (!_stall.TryReset())
                _stall = new CancellationTokenSource();
        }
    }

    private void Hand(Waiter waiter)
    {
        lock (_gate)
            waiter.Disarm();
        waiter.Queue();
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
            throw new IOException("the connection to the agent has ended", failure);
    }

    private void Append(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        int needed = _length + FrameHeader.Size + payload.Length;
        if (needed > _batch.Length)
            Array.Resize(ref _batch, Math.Max(needed, _batch.Length * 2));
        header.Write(_batch.AsSpan(_length));
        payload.CopyTo(_batch.AsSpan(_length + FrameHeader.Size));
        _length = needed;
    }

    /// <summary>Takes the batch and puts the other buffer in its place; a large one is not kept for an idle connection.</summary>
    private ReadOnlyMemory<byte> Swap()
    {
        ReadOnlyMemory<byte> batch = _batch.AsMemory(0, _length);
        byte[] written = _batch;
        _batch = _spare;
        _spare = written.Length <= BatchTarget ? written : new byte[512];
        _length = 0;
        return batch;
    }
}
