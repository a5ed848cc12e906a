using System.Runtime.InteropServices;
using System.Text;

namespace StacyVM.Agent.Linux;

/// <summary>Memory outside the managed heap that stays where it is and is freed all at once. Zeroed.</summary>
internal sealed unsafe class NativeArena : IDisposable
{
    private const int BlockSize = 8192;
    private readonly List<nint> _blocks = [];
    private byte* _next;
    private nuint _left;

    internal byte* Take(nuint size)
    {
        size = (size + 15) & ~(nuint)15;
        if (size > _left)
        {
            nuint block = Math.Max(size, BlockSize);
            _next = (byte*)NativeMemory.AllocZeroed(block);
            _blocks.Add((nint)_next);
            _left = block;
        }
        byte* taken = _next;
        _next += size;
        _left -= size;
        return taken;
    }

    internal T* Take<T>(int count) where T : unmanaged => (T*)Take((nuint)count * (nuint)sizeof(T));

    /// <summary>The text as UTF-8 with a NUL behind it.</summary>
    internal byte* Text(string text)
    {
        int count = Encoding.UTF8.GetByteCount(text);
        byte* bytes = Take((nuint)count + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(bytes, count));
        return bytes;
    }

    internal byte* Text(ReadOnlySpan<byte> text)
    {
        byte* bytes = Take((nuint)text.Length + 1);
        text.CopyTo(new Span<byte>(bytes, text.Length));
        return bytes;
    }

    public void Dispose()
    {
        foreach (nint block in _blocks)
            NativeMemory.Free((void*)block);
        _blocks.Clear();
        _left = 0;
    }
}
