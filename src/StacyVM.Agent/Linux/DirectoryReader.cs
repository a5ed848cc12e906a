using System.Runtime.InteropServices;

namespace StacyVM.Agent.Linux;

/// <summary>The entries of one directory, as the kernel gives them: raw names, no order, without <c>.</c> and <c>..</c>.</summary>
internal sealed unsafe class DirectoryReader : IDisposable
{
    private readonly int _capacity;
    private byte* _buffer;
    private int _fd, _at, _length;

    /// <summary>Takes over the descriptor.</summary>
    internal DirectoryReader(int fd, int capacity = 16 * 1024)
    {
        (_fd, _capacity) = (fd, capacity);
        _buffer = (byte*)NativeMemory.Alloc((nuint)capacity);
    }

    internal int Fd => _fd;

    /// <summary>Null when it cannot be opened; <see cref="Errno.Last"/> says why.</summary>
    internal static DirectoryReader? Open(ReadOnlySpan<byte> terminated, int capacity)
    {
        int fd = Descriptor.Open(terminated, OpenFlags.ReadOnly | OpenFlags.Directory);
        return fd < 0 ? null : new DirectoryReader(fd, capacity);
    }

    /// <summary>The next entry; the name is valid until the call after. False at the end, or when the directory is gone.</summary>
    internal bool Next(out ReadOnlySpan<byte> name, out byte kind)
    {
        while (true)
        {
            if (_at >= _length)
            {
                _length = (int)Libc.ReadDirectory(_fd, _buffer, (nuint)_capacity);
                _at = 0;
                if (_length <= 0)
                {
                    name = [];
                    kind = 0;
                    return false;
                }
            }
            // struct linux_dirent64: u64 inode, s64 offset, u16 record length, u8 type, name, NUL.
            byte* entry = _buffer + _at;
            _at += *(ushort*)(entry + 16);
            kind = entry[18];
            name = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(entry + 19);
            if (!name.SequenceEqual("."u8) && !name.SequenceEqual(".."u8))
                return true;
        }
    }

    public void Dispose()
    {
        Descriptor.Close(ref _fd);
        NativeMemory.Free(_buffer);
        _buffer = null;
    }
}
