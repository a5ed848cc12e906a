using System.Buffers.Binary;

namespace StacyVM.Protocol.Agent;

/// <summary>The 12 bytes before each payload, little-endian: u32 length, u32 channel, u8 type, u8 stream, u16 zero.</summary>
public readonly record struct FrameHeader(int Length, uint Channel, FrameType Type, DataStream Stream)
{
    /// <summary>Size of an encoded header, in bytes.</summary>
    public const int Size = 12;

    /// <summary>Writes the header to the first <see cref="Size"/> bytes of <paramref name="target"/>.</summary>
    public void Write(Span<byte> target)
    {
        BinaryPrimitives.WriteInt32LittleEndian(target, Length);
        BinaryPrimitives.WriteUInt32LittleEndian(target[4..], Channel);
        target[8] = (byte)Type;
        target[9] = (byte)Stream;
        target[10] = 0;
        target[11] = 0;
    }

    /// <summary>Reads a header; false when a rule is broken (length out of bounds, unknown type or stream, reserved bytes used).</summary>
    public static bool TryRead(ReadOnlySpan<byte> source, out FrameHeader header)
    {
        header = new FrameHeader(
            BinaryPrimitives.ReadInt32LittleEndian(source),
            BinaryPrimitives.ReadUInt32LittleEndian(source[4..]),
            (FrameType)source[8],
            (DataStream)source[9]);
        return header.Length is >= 0 and <= AgentProtocol.MaxPayload
            && header.Type is >= FrameType.Hello and <= FrameType.Pong
            && header.Stream <= DataStream.Error
            && source[10] == 0 && source[11] == 0;
    }
}

/// <summary>Which stream of a channel a Data frame belongs to.</summary>
public enum DataStream : byte
{
    /// <summary>host → agent: stdin, an upload, bytes to a port. Also the value of every frame that is not Data.</summary>
    Input = 0,

    /// <summary>agent → host: stdout, a terminal's output, a download, bytes from a port, encoded entries.</summary>
    Output = 1,

    /// <summary>agent → host: stderr.</summary>
    Error = 2,
}
