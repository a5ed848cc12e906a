using System.Buffers;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>
/// Received bytes of one channel, in order, in pooled memory. Small frames are packed together, so that a peer which sends byte by byte costs
/// no more memory than one which sends in blocks; large ones keep the array they were received into. Guarded by the channel's lock.
/// </summary>
internal sealed class ChannelBuffer
{
    private const int FirstSegment = 2 * 1024;
    private const int LaterSegment = 32 * 1024;

    private readonly Queue<Run> _runs = new();
    private Run _newest;
    private Segment? _tail;
    private Segment? _lent;

    public bool IsEmpty => _runs.Count == 0 && _newest.Length == 0;

    /// <summary>Copies a small payload. It is never split, so that a piece consists of whole frames.</summary>
    public void Append(DataStream stream, ReadOnlySpan<byte> payload)
    {
        Segment tail = _tail is { } current && current.Free >= payload.Length ? current : NewTail(payload.Length);
        payload.CopyTo(tail.Array.AsSpan(tail.Used));
        if (_newest.Length > 0 && _newest.Segment == tail && _newest.Stream == stream)
            _newest.Length += payload.Length;
        else
            Push(new Run(tail, tail.Used, payload.Length, stream));
        tail.Used += payload.Length;
    }

    /// <summary>Takes over a rented array that holds one payload.</summary>
    public void Append(DataStream stream, byte[] rented, int length) => Push(new Run(new Segment(rented, length), 0, length, stream));

    /// <summary>The oldest piece; what was given out before it becomes invalid.</summary>
    public bool TryTake(out ChannelPiece piece)
    {
        if (_lent is { } lent)
        {
            _lent = null;
            Release(lent);
        }
        if (!_runs.TryDequeue(out Run run))
        {
            run = _newest;
            _newest = default;
        }
        if (run.Length == 0)
        {
            piece = default;
            return false;
        }
        _lent = run.Segment;
        piece = new ChannelPiece(run.Stream, run.Segment!.Array.AsMemory(run.Start, run.Length));
        return true;
    }

    /// <summary>Drops everything. Memory that a reader may still look at is left to the collector, never to the pool.</summary>
    public void Clear()
    {
        if (_newest.Length > 0)
            _runs.Enqueue(_newest);
        _newest = default;
        while (_runs.TryDequeue(out Run run))
            Release(run.Segment!);
        if (_tail is { } tail)
        {
            _tail = null;
            Release(tail);
        }
    }

    private void Push(Run run)
    {
        if (_newest.Length > 0)
            _runs.Enqueue(_newest);
        _newest = run;
        run.Segment!.Holds++;
    }

    private Segment NewTail(int wanted)
    {
        int size = Math.Max(_tail is null ? FirstSegment : LaterSegment, wanted);
        if (_tail is { } old)
        {
            _tail = null;
            Release(old);
        }
        _tail = new Segment(ArrayPool<byte>.Shared.Rent(size), 0) { Holds = 1 };
        return _tail;
    }

    private static void Release(Segment segment)
    {
        if (--segment.Holds == 0)
            ArrayPool<byte>.Shared.Return(segment.Array);
    }

    /// <summary>A pooled array. It is held by each run in it that is not yet read, and by being the tail.</summary>
    private sealed class Segment(byte[] array, int used)
    {
        public readonly byte[] Array = array;
        public int Used = used;
        public int Holds;

        public int Free => Array.Length - Used;
    }

    private struct Run(Segment segment, int start, int length, DataStream stream)
    {
        public readonly Segment? Segment = segment;
        public readonly int Start = start;
        public int Length = length;
        public readonly DataStream Stream = stream;
    }
}

/// <summary>A piece of received data, valid until the next read of its channel.</summary>
internal readonly record struct ChannelPiece(DataStream Stream, ReadOnlyMemory<byte> Data);
