using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Loop;

/// <summary>Bytes on their way into a descriptor that may be full: a command's stdin, a port. Tells how much has left.</summary>
internal sealed unsafe class WriteQueue(Action<int> written)
{
    private readonly ByteQueue _waiting = new();

    internal bool IsEmpty => _waiting.IsEmpty;

    internal int Count => _waiting.Count;

    /// <summary>The last byte that was given, for those who must know how a line ended.</summary>
    internal byte Last { get; private set; }

    /// <summary>Writes at once what fits, keeps the rest. False when the other end is closed.</summary>
    internal bool Add(int fd, ReadOnlySpan<byte> bytes)
    {
        if (bytes.IsEmpty)
            return true;
        Last = bytes[^1];
        int direct = 0;
        if (_waiting.IsEmpty)
        {
            direct = Write(fd, bytes);
            if (direct < 0)
                return false;
        }
        _waiting.Add(bytes[direct..]);
        if (direct > 0)
            written(direct);
        return true;
    }

    /// <summary>Goes on writing. False when the other end is closed.</summary>
    internal bool Resume(int fd)
    {
        while (!_waiting.IsEmpty)
        {
            int count = Write(fd, _waiting.Bytes);
            if (count < 0)
                return false;
            if (count == 0)
                return true;
            _waiting.Take(count);
            written(count);
        }
        _waiting.Dispose();
        return true;
    }

    /// <summary>Forgets what waits, as if it had left.</summary>
    internal void Abandon()
    {
        int count = _waiting.Count;
        _waiting.Dispose();
        if (count > 0)
            written(count);
    }

    private static int Write(int fd, ReadOnlySpan<byte> bytes)
    {
        nint count;
        fixed (byte* p = bytes)
            count = Libc.Write(fd, p, (nuint)bytes.Length);
        return count >= 0 ? (int)count : Errno.Last is Errno.TryAgain or Errno.Interrupted ? 0 : -1;
    }
}
