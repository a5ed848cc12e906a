namespace StacyVM.Sdk.Http;

/// <summary>A bounded part of a longer body; what lies before it is read and dropped.</summary>
internal sealed class PartStream : Stream
{
    private readonly Stream _inner;
    private long _left;

    private PartStream(Stream inner, long left)
    {
        _inner = inner;
        _left = left;
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public static async Task<Stream> OpenAsync(Stream inner, long skip, long? length, CancellationToken cancellation)
    {
        byte[] dropped = new byte[64 * 1024];
        while (skip > 0)
        {
            int read = await inner.ReadAsync(dropped.AsMemory(0, (int)Math.Min(skip, dropped.Length)), cancellation).ConfigureAwait(false);
            if (read == 0)
                break;
            skip -= read;
        }
        return new PartStream(inner, length ?? long.MaxValue);
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        int read = await _inner.ReadAsync(buffer[..(int)Math.Min(buffer.Length, _left)], cancellationToken).ConfigureAwait(false);
        _left -= read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count)
    {
        int read = _inner.Read(buffer, offset, (int)Math.Min(count, _left));
        _left -= read;
        return read;
    }

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            _inner.Dispose();
        base.Dispose(disposing);
    }
}
