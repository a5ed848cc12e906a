using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

/// <summary>
/// What leaves for the host. Everything that one turn of the loop produces goes out in one write; frames stay whole and, for one channel,
/// in order.
/// </summary>
internal sealed unsafe class Outbox(int descriptor)
{
    private const int DirectFrom = 16 * 1024;
    private const int Enough = 512 * 1024;
    private const int MostVectors = 16;
    private readonly ByteQueue _bytes = new();
    private readonly Queue<FrameBlock> _blocks = new();
    private FrameBlock? _torn;
    private bool _heldBack;

    /// <summary>The socket took less than it was given.</summary>
    internal bool Blocked { get; private set; }

    /// <summary>The peer is gone.</summary>
    internal bool Broken { get; private set; }

    /// <summary>So much waits already that producers of output should stop. Who is told so is called again once it has left.</summary>
    internal bool Congested
    {
        get
        {
            bool congested = _bytes.Count > Enough;
            _heldBack |= congested;
            return congested;
        }
    }

    internal bool IsEmpty => _bytes.IsEmpty && _blocks.Count == 0 && _torn is null;

    internal void Frame(uint channel, FrameType type, DataStream stream, ReadOnlySpan<byte> payload)
    {
        Header(channel, type, stream, payload.Length);
        _bytes.Add(payload);
    }

    /// <summary>A Data frame; a large one goes from where it lies straight to the socket while that takes it.</summary>
    internal void Data(uint channel, DataStream stream, byte* payload, int count)
    {
        if (count < DirectFrom || Blocked || Broken || _torn is not null || _blocks.Count > 0)
        {
            Frame(channel, FrameType.Data, stream, new ReadOnlySpan<byte>(payload, count));
            return;
        }
        Header(channel, FrameType.Data, stream, count);
        int waiting = _bytes.Count;
        IoVector* vectors = stackalloc IoVector[2];
        vectors[0] = new IoVector { Base = _bytes.First, Length = (nuint)waiting };
        vectors[1] = new IoVector { Base = payload, Length = (nuint)count };
        int written = Write(vectors, 2);
        int ofWaiting = Math.Min(written, waiting);
        _bytes.Take(ofWaiting);
        written -= ofWaiting;
        _bytes.Add(new ReadOnlySpan<byte>(payload + written, count - written));
    }

    /// <summary>Room for a Data frame's payload, to be filled in place and then given to <see cref="CommitData"/>.</summary>
    internal byte* ReserveData(int capacity) => _bytes.Reserve(FrameHeader.Size + capacity) + FrameHeader.Size;

    internal void CommitData(uint channel, DataStream stream, int count)
    {
        Header(channel, FrameType.Data, stream, count);
        _bytes.Commit(count);
    }

    internal void Block(FrameBlock block) => _blocks.Enqueue(block);

    /// <summary>Writes until nothing is left or the socket is full.</summary>
    internal void Flush()
    {
        Blocked = false;
        IoVector* vectors = stackalloc IoVector[MostVectors];
        while (!IsEmpty && !Blocked && !Broken)
        {
            // A block that left in part goes first: a frame is never interrupted.
            int count = 0;
            if (_torn is not null)
                vectors[count++] = _torn.Rest;
            if (!_bytes.IsEmpty)
                vectors[count++] = new IoVector { Base = _bytes.First, Length = (nuint)_bytes.Count };
            foreach (FrameBlock block in _blocks)
            {
                if (count == MostVectors)
                    break;
                vectors[count++] = block.Rest;
            }
            Account(Write(vectors, count));
        }
    }

    /// <summary>True once after producers were told to stop: no event will tell them to go on when the socket was never full.</summary>
    internal bool TakeHeldBack()
    {
        bool heldBack = _heldBack;
        _heldBack = false;
        return heldBack;
    }

    /// <summary>Gives the blocks back to their owners and forgets the rest.</summary>
    internal void Abandon()
    {
        Broken = true;
        Clear();
    }

    /// <summary>Forgets what waits and goes on with what comes.</summary>
    internal void Restart()
    {
        Clear();
        _heldBack = false;
    }

    internal bool Trim()
    {
        _bytes.Trim(DirectFrom);
        return IsEmpty;
    }

    private void Clear()
    {
        _torn?.Returned(_torn);
        _torn = null;
        while (_blocks.TryDequeue(out FrameBlock? block))
            block.Returned(block);
        _bytes.Dispose();
    }

    private void Header(uint channel, FrameType type, DataStream stream, int length)
    {
        new FrameHeader(length, channel, type, stream).Write(new Span<byte>(_bytes.Reserve(FrameHeader.Size), FrameHeader.Size));
        _bytes.Commit(FrameHeader.Size);
    }

    private void Account(int written)
    {
        if (_torn is not null && written > 0)
        {
            int taken = Math.Min(written, (int)_torn.Rest.Length);
            written -= taken;
            if (_torn.Advance(taken))
            {
                _torn.Returned(_torn);
                _torn = null;
            }
        }
        int bytes = Math.Min(written, _bytes.Count);
        _bytes.Take(bytes);
        written -= bytes;
        while (written > 0)
        {
            FrameBlock block = _blocks.Dequeue();
            int taken = Math.Min(written, (int)block.Rest.Length);
            written -= taken;
            if (block.Advance(taken))
                block.Returned(block);
            else
                _torn = block;
        }
    }

    private int Write(IoVector* vectors, int count)
    {
        nuint wanted = 0;
        for (int i = 0; i < count; i++)
            wanted += vectors[i].Length;
        while (true)
        {
            nint written = Libc.WriteVector(descriptor, vectors, count);
            if (written >= 0)
            {
                Blocked = (nuint)written < wanted;
                return (int)written;
            }
            switch (Errno.Last)
            {
                case Errno.Interrupted:
                    continue;
                case Errno.TryAgain:
                    Blocked = true;
                    return 0;
                default:
                    Broken = true;
                    return 0;
            }
        }
    }
}
