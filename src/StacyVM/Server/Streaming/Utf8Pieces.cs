using System.Text;

namespace StacyVM.Server.Streaming;

/// <summary>Turns pieces of bytes into pieces of text; a character whose bytes are torn apart appears whole with the later piece.</summary>
internal sealed class Utf8Pieces
{
    private readonly Decoder _decoder = Encoding.UTF8.GetDecoder();

    /// <summary>The text that is complete so far; may be empty. Bytes that are no UTF-8 become U+FFFD.</summary>
    public string Next(ReadOnlySpan<byte> bytes) => Decode(bytes, flush: false);

    /// <summary>What is left of a torn character when the bytes have ended.</summary>
    public string Rest() => Decode([], flush: true);

    private string Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        int length = _decoder.GetCharCount(bytes, flush);
        if (length == 0)
        {
            _decoder.GetChars(bytes, [], flush);
            return "";
        }
        char[] text = System.Buffers.ArrayPool<char>.Shared.Rent(length);
        try
        {
            return new string(text, 0, _decoder.GetChars(bytes, text, flush));
        }
        finally
        {
            System.Buffers.ArrayPool<char>.Shared.Return(text);
        }
    }
}
