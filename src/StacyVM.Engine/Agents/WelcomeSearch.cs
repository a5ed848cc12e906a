using System.Buffers.Binary;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>
/// Finds the answer to a Hello in a stream that may begin with what an earlier connection did not take, torn anywhere. The nonce, which nobody
/// else can know, marks the answer; behind it the agent is silent until it is asked for something.
/// </summary>
internal static class WelcomeSearch
{
    private const long MostStaleBytes = 64L * 1024 * 1024;
    private const int BeforeNonce = FrameHeader.Size + sizeof(ushort) + sizeof(uint);

    /// <returns>The payload of the answer.</returns>
    public static async Task<byte[]> FindAsync(Stream stream, byte[] nonce, int longest, CancellationToken cancellation)
    {
        byte[] window = new byte[64 * 1024];
        int filled = 0;
        for (long read = 0; read < MostStaleBytes;)
        {
            int count = await stream.ReadAsync(window.AsMemory(filled), cancellation).ConfigureAwait(false);
            if (count == 0)
                throw new EndOfStreamException("the peer left before it answered Hello");
            read += count;
            filled += count;
            if (Payload(window.AsSpan(0, filled), nonce, longest) is { } payload)
                return payload;
            // What may be the beginning of the answer stays; the rest was for somebody else.
            int kept = Math.Min(filled, FrameHeader.Size + longest);
            window.AsSpan(filled - kept, kept).CopyTo(window);
            filled = kept;
        }
        throw new ProtocolViolationException("the peer did not answer Hello with Welcome");
    }

    private static byte[]? Payload(ReadOnlySpan<byte> window, byte[] nonce, int longest)
    {
        for (int from = 0; window[from..].IndexOf(nonce) is >= 0 and int at; from += at + 1)
        {
            int start = from + at - BeforeNonce;
            if (start < 0 || !FrameHeader.TryRead(window[start..], out FrameHeader header))
                continue;
            bool fits = header is { Type: FrameType.Welcome, Channel: 0, Stream: DataStream.Input } && header.Length <= longest
                && BinaryPrimitives.ReadUInt32LittleEndian(window[(start + FrameHeader.Size + sizeof(ushort))..]) == nonce.Length;
            if (fits && window.Length - start - FrameHeader.Size >= header.Length)
                return window.Slice(start + FrameHeader.Size, header.Length).ToArray();
        }
        return null;
    }
}
