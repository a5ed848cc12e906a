using System.Runtime.InteropServices;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

/// <summary>
/// One Data frame with room for its header in front, filled by a file thread and written by the loop without a copy in between.
/// Belongs to one side at a time.
/// </summary>
internal sealed unsafe class FrameBlock : IDisposable
{
    private byte* _memory;

    internal FrameBlock(int capacity, Action<FrameBlock> returned)
    {
        Capacity = capacity;
        Returned = returned;
        _memory = (byte*)NativeMemory.Alloc((nuint)(FrameHeader.Size + capacity));
    }

    internal int Capacity { get; }

    /// <summary>Called by the loop when the frame has left, or will never leave.</summary>
    internal Action<FrameBlock> Returned { get; }

    internal byte* Payload => _memory + FrameHeader.Size;

    /// <summary>What is still to be written of the frame.</summary>
    internal IoVector Rest => new() { Base = _memory + _written, Length = (nuint)(_length - _written) };

    private int _length, _written;

    internal void Fill(uint channel, int count)
    {
        new FrameHeader(count, channel, FrameType.Data, DataStream.Output).Write(new Span<byte>(_memory, FrameHeader.Size));
        _length = FrameHeader.Size + count;
        _written = 0;
    }

    /// <summary>True when the whole frame has left.</summary>
    internal bool Advance(int count)
    {
        _written += count;
        return _written == _length;
    }

    public void Dispose()
    {
        NativeMemory.Free(_memory);
        _memory = null;
    }
}
