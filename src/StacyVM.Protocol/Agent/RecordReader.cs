using System.Buffers.Binary;
using System.Text;

namespace StacyVM.Protocol.Agent;

/// <summary>Reads the fields of a message in the order they were written. Reading past the end throws <see cref="ProtocolViolationException"/>.</summary>
public ref struct RecordReader(ReadOnlySpan<byte> source)
{
    private ReadOnlySpan<byte> _rest = source;

    /// <summary>True when every byte has been read.</summary>
    public readonly bool AtEnd => _rest.IsEmpty;

    public byte Byte() => Take(1)[0];

    public bool Bool() => Byte() != 0;

    public ushort UInt16() => BinaryPrimitives.ReadUInt16LittleEndian(Take(2));

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(4));

    public int Int32() => BinaryPrimitives.ReadInt32LittleEndian(Take(4));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(8));

    public long Int64() => BinaryPrimitives.ReadInt64LittleEndian(Take(8));

    public ReadOnlySpan<byte> Blob() => Take(Count(UInt32(), 1));

    public string String() => Encoding.UTF8.GetString(Blob());

    public string[] Strings()
    {
        var values = new string[Count(UInt32(), 4)];
        for (int i = 0; i < values.Length; i++)
            values[i] = String();
        return values;
    }

    /// <summary>Checks a count against what is left, so that a lying count cannot make the reader allocate.</summary>
    public readonly int Count(uint count, int leastBytesEach)
    {
        if (count > (uint)(_rest.Length / leastBytesEach))
            throw new ProtocolViolationException("a count in the message is larger than the message");
        return (int)count;
    }

    private ReadOnlySpan<byte> Take(int count)
    {
        if (count > _rest.Length)
            throw new ProtocolViolationException("the message ends before its last field");
        ReadOnlySpan<byte> taken = _rest[..count];
        _rest = _rest[count..];
        return taken;
    }
}

/// <summary>The peer broke a rule of the protocol. The connection ends; nothing else does.</summary>
public sealed class ProtocolViolationException(string message) : Exception(message);
