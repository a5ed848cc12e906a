using System.Runtime.InteropServices;

namespace StacyVM.Agent.Linux;

/// <summary>
/// Bytes in order, outside the managed heap: appended at the end, taken from the front, grown on demand. Costs nothing while empty.
/// </summary>
internal sealed unsafe class ByteQueue : IDisposable
{
    private const int LeastCapacity = 4096;
    private byte* _data;
    private int _start, _end, _capacity;

    internal int Count => _end - _start;

    internal int Capacity => _capacity;

    internal bool IsEmpty => _end == _start;

    /// <summary>The first byte; valid until the next call that adds.</summary>
    internal byte* First => _data + _start;

    internal ReadOnlySpan<byte> Bytes => new(_data + _start, Count);

    /// <summary>Room for at least <paramref name="count"/> bytes behind the last one, to be followed by <see cref="Commit"/>.</summary>
    internal byte* Reserve(int count)
    {
        if (_capacity - _end < count)
            MakeRoom(count);
        return _data + _end;
    }

    internal void Commit(int count) => _end += count;

    internal void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(new Span<byte>(Reserve(bytes.Length), bytes.Length));
        _end += bytes.Length;
    }

    internal void Take(int count)
    {
        _start += count;
        if (_start == _end)
            _start = _end = 0;
    }

    /// <summary>Gives large memory back when nothing is in it.</summary>
    internal void Trim(int keep)
    {
        if (IsEmpty && _capacity > keep)
            Dispose();
    }

    public void Dispose()
    {
        NativeMemory.Free(_data);
        _data = null;
        _start = _end = _capacity = 0;
    }

    private void MakeRoom(int count)
    {
        int held = Count;
        if (_capacity - held >= count && _start >= _capacity / 2)
        {
            Buffer.MemoryCopy(_data + _start, _data, _capacity, held);
        }
        else
        {
            int capacity = Math.Max(Math.Max(LeastCapacity, _capacity * 2), held + count);
            byte* larger = (byte*)NativeMemory.Alloc((nuint)capacity);
            Buffer.MemoryCopy(_data + _start, larger, capacity, held);
            NativeMemory.Free(_data);
            _data = larger;
            _capacity = capacity;
        }
        _start = 0;
        _end = held;
    }
}
