using System.Text;

namespace StacyVM.Engine.Sandboxes;

/// <summary>The first bytes of an output stream, up to a bound; what comes after is counted as lost.</summary>
internal sealed class BoundedOutput(long limit)
{
    private readonly MemoryStream _bytes = new();

    /// <summary>Something was dropped.</summary>
    public bool Truncated { get; private set; }

    public void Add(ReadOnlySpan<byte> data)
    {
        long room = limit - _bytes.Length;
        if (data.Length > room)
        {
            Truncated = true;
            data = data[..(int)Math.Max(room, 0)];
        }
        _bytes.Write(data);
    }

    /// <summary>As text; bytes that are not UTF-8 become U+FFFD, a character that the bound cuts in two is left out.</summary>
    public override string ToString()
    {
        ReadOnlySpan<byte> bytes = _bytes.GetBuffer().AsSpan(0, (int)_bytes.Length);
        return Encoding.UTF8.GetString(Truncated ? bytes[..WholeCharacters(bytes)] : bytes);
    }

    /// <summary>The first so many bytes as text, for logs.</summary>
    public string Head(int most)
    {
        ReadOnlySpan<byte> bytes = _bytes.GetBuffer().AsSpan(0, (int)Math.Min(_bytes.Length, most));
        return Encoding.UTF8.GetString(bytes[..WholeCharacters(bytes)]);
    }

    /// <summary>Length without an unfinished character at the end.</summary>
    private static int WholeCharacters(ReadOnlySpan<byte> bytes)
    {
        for (int back = 1; back <= Math.Min(4, bytes.Length); back++)
        {
            byte b = bytes[^back];
            if ((b & 0xC0) == 0x80)
                continue;
            int length = b switch { < 0x80 => 1, >= 0xF0 => 4, >= 0xE0 => 3, >= 0xC0 => 2, _ => 1 };
            return length > back ? bytes.Length - back : bytes.Length;
        }
        return bytes.Length;
    }
}
