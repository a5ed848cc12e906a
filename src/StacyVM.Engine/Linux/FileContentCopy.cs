using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>Copies what is in files: by sharing blocks where the file system can, else by copying, with the holes left out.</summary>
internal sealed unsafe class FileContentCopy(CancellationToken cancellation)
{
    private const int Chunk = 8 * 1024 * 1024;

    private bool _clones = true;
    private bool _copiesInside = true;
    private byte[]? _buffer;

    /// <param name="from">Open for reading, at any place.</param>
    /// <param name="to">New and empty.</param>
    /// <param name="size">Of the first.</param>
    /// <exception cref="IOException">Its <c>HResult</c> is the number of the error.</exception>
    public void Copy(SafeFileHandle from, SafeFileHandle to, long size)
    {
        if (size == 0)
            return;
        if (_clones)
        {
            if (Libc.Clone(to, from) == 0)
                return;
            // Neither this file system nor this pair of them can; what else is wrong the copying finds as well.
            _clones = false;
        }
        if (Libc.Truncate(to, size) != 0)
            throw Failure();
        for (long at = 0; at < size;)
        {
            long data = Libc.Seek(from, at, Libc.SEEK_DATA);
            if (data < 0 && Libc.Error == Libc.ENXIO)
                return;
            if (data < 0)
                data = at;
            long hole = Libc.Seek(from, data, Libc.SEEK_HOLE);
            long end = hole < 0 ? size : Math.Min(hole, size);
            CopyRange(from, to, data, end);
            at = Math.Max(end, at + 1);
        }
    }

    private void CopyRange(SafeFileHandle from, SafeFileHandle to, long at, long end)
    {
        while (at < end)
        {
            cancellation.ThrowIfCancellationRequested();
            int wanted = (int)Math.Min(Chunk, end - at);
            long count = _copiesInside ? CopyInside(from, to, at, wanted) : CopyThrough(from, to, at, wanted);
            if (count == 0)
                return;
            at += Math.Max(0, count);
        }
    }

    /// <returns>Bytes copied; negative: the kernel does not copy between these two.</returns>
    private long CopyInside(SafeFileHandle from, SafeFileHandle to, long at, int wanted)
    {
        long source = at, target = at;
        long count = Libc.CopyRange(from, &source, to, &target, wanted, 0);
        if (count >= 0)
            return count;
        if (Libc.Error is not (Libc.EXDEV or Libc.EINVAL or Libc.ENOSYS or Libc.EOPNOTSUPP))
            throw Failure();
        _copiesInside = false;
        return -1;
    }

    private int CopyThrough(SafeFileHandle from, SafeFileHandle to, long at, int wanted)
    {
        _buffer ??= new byte[1024 * 1024];
        int count = RandomAccess.Read(from, _buffer.AsSpan(0, Math.Min(wanted, _buffer.Length)), at);
        RandomAccess.Write(to, _buffer.AsSpan(0, count), at);
        return count;
    }

    private static IOException Failure()
    {
        int error = Libc.Error;
        return new IOException($"cannot copy a file: {Marshal.GetPInvokeErrorMessage(error)}", error);
    }
}
