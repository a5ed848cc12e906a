using Microsoft.Win32.SafeHandles;

namespace StacyVM.Engine.Linux;

/// <summary>Copies files that are mostly holes, as disks are.</summary>
internal static class SparseCopy
{
    private const int SeekData = 3, SeekHole = 4;
    private const int ENXIO = 6;

    /// <summary>Copies what is there and leaves the holes; the target is made, for its owner alone.</summary>
    public static void Copy(string from, string to, CancellationToken cancellation)
    {
        using SafeFileHandle source = File.OpenHandle(from, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var target = new FileStream(to, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.Write,
            BufferSize = 0,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
        });
        long length = RandomAccess.GetLength(source);
        target.SetLength(length);
        byte[] buffer = new byte[1024 * 1024];
        long at = 0;
        while (at < length)
        {
            cancellation.ThrowIfCancellationRequested();
            long data = Libc.Seek(source, at, SeekData);
            if (data < 0 && Libc.Error == ENXIO)
                return;
            // A file system that knows no holes says that all is data.
            data = data < 0 ? at : data;
            long end = Libc.Seek(source, data, SeekHole);
            end = end < 0 ? length : end;
            for (at = data; at < end;)
            {
                int count = RandomAccess.Read(source, buffer.AsSpan(0, (int)Math.Min(buffer.Length, end - at)), at);
                if (count == 0)
                    return;
                RandomAccess.Write(target.SafeFileHandle, buffer.AsSpan(0, count), at);
                at += count;
            }
        }
    }
}
