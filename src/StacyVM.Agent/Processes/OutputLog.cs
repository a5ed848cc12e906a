using System.Runtime.InteropServices;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>
/// The last bytes that a process wrote, both streams in the order of their arrival. Readers are offsets into it: what is live and what is
/// replayed is the same thing. A ring that grows on demand up to its capacity.
/// </summary>
internal sealed unsafe class OutputLog : IDisposable
{
    internal const int LargestCapacity = 16 * 1024 * 1024;
    private const int FirstCapacity = 4096;
    private const int LeastCapacity = 64 * 1024;
    private const int MostRuns = 32 * 1024;

    private readonly int _largest;
    private readonly Queue<Run> _runs = new();
    private byte* _ring;
    private int _capacity;
    private Run _last;

    internal OutputLog(uint tailBytes) =>
        _largest = (int)Math.Clamp(tailBytes == 0 ? AgentProtocol.DefaultTailBytes : tailBytes, LeastCapacity, LargestCapacity);

    /// <summary>Offset of the oldest byte that is still here.</summary>
    internal ulong Start { get; private set; }

    /// <summary>Offset behind the newest byte: all that was ever written.</summary>
    internal ulong End { get; private set; }

    internal int Retained => (int)(End - Start);

    /// <summary>
    /// Room for output, overwriting the oldest bytes but none from <paramref name="keep"/> on. Empty when everything there is still to be
    /// read by someone.
    /// </summary>
    internal Span<byte> Reserve(ulong keep)
    {
        while (_runs.Count >= MostRuns)
        {
            Run oldest = _runs.Peek();
            if (oldest.End > keep)
                return [];
            Start = Math.Max(Start, oldest.End);
            _runs.Dequeue();
        }
        if (_capacity < _largest && End - Start >= (ulong)_capacity)
            Grow();
        int at = (int)(End % (ulong)_capacity);
        ulong held = End - Math.Min(End, Math.Max(Start, keep));
        long free = _capacity - (long)held;
        return new Span<byte>(_ring + at, (int)Math.Min(free, _capacity - at));
    }

    /// <summary>Takes what was put into the span of <see cref="Reserve"/>.</summary>
    internal void Commit(DataStream stream, int count)
    {
        End += (ulong)count;
        if (End - Start > (ulong)_capacity)
            Start = End - (ulong)_capacity;
        if (_last.End > 0 && _last.Stream != stream)
            _runs.Enqueue(_last);
        _last = new Run(End, stream);
        while (_runs.TryPeek(out Run oldest) && oldest.End <= Start)
            _runs.Dequeue();
    }

    internal void Append(DataStream stream, ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            Span<byte> room = Reserve(End);
            int count = Math.Min(room.Length, bytes.Length);
            bytes[..count].CopyTo(room);
            Commit(stream, count);
            bytes = bytes[count..];
        }
    }

    /// <summary>The longest piece of one stream that lies in one place from <paramref name="offset"/> on.</summary>
    internal byte* Piece(ulong offset, out DataStream stream, out int count)
    {
        Run run = _last;
        foreach (Run candidate in _runs)
        {
            if (candidate.End > offset)
            {
                run = candidate;
                break;
            }
        }
        int at = (int)(offset % (ulong)_capacity);
        stream = run.Stream;
        count = (int)Math.Min(run.End - offset, (ulong)(_capacity - at));
        return _ring + at;
    }

    public void Dispose()
    {
        NativeMemory.Free(_ring);
        _ring = null;
        _capacity = 0;
        _runs.Clear();
        Start = End;
    }

    private void Grow()
    {
        int capacity = _capacity == 0 ? FirstCapacity : (int)Math.Min((long)_capacity * 4, _largest);
        byte* ring = (byte*)NativeMemory.Alloc((nuint)capacity);
        // Each byte keeps its offset; its place is the offset modulo the capacity, so it moves.
        for (ulong offset = Start; offset < End;)
        {
            int from = (int)(offset % (ulong)_capacity), to = (int)(offset % (ulong)capacity);
            int count = (int)Math.Min(End - offset, (ulong)Math.Min(_capacity - from, capacity - to));
            Buffer.MemoryCopy(_ring + from, ring + to, count, count);
            offset += (ulong)count;
        }
        NativeMemory.Free(_ring);
        _ring = ring;
        _capacity = capacity;
    }

    /// <summary>Bytes of one stream in a row, up to the offset <paramref name="End"/>.</summary>
    private readonly record struct Run(ulong End, DataStream Stream);
}
