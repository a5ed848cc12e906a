using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using Docker.DotNet;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>The standard streams of an exec as one byte stream. What the program says on stderr is kept for the error message.</summary>
internal sealed class ExecStream(MultiplexedStream streams) : Stream
{
    private const int ComplaintBound = 512;
    private readonly StringBuilder _complaint = new();
    private int _disposed;

    /// <summary>The beginning of its stderr.</summary>
    public string Complaint => _complaint.ToString().Trim();

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.Length == 0)
            return 0;
        if (!MemoryMarshal.TryGetArray<byte>(buffer, out ArraySegment<byte> target))
            return await ReadThroughAsync(buffer, cancellationToken).ConfigureAwait(false);
        while (true)
        {
            MultiplexedStream.ReadResult read = await streams.ReadOutputAsync(target.Array!, target.Offset, target.Count, cancellationToken).ConfigureAwait(false);
            if (read.EOF)
                return 0;
            if (read.Target == MultiplexedStream.TargetStream.StandardOut)
                return read.Count;
            if (_complaint.Length < ComplaintBound)
                _complaint.Append(Encoding.UTF8.GetString(target.Array!, target.Offset, Math.Min(read.Count, ComplaintBound)));
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (MemoryMarshal.TryGetArray(buffer, out ArraySegment<byte> source))
        {
            await streams.WriteAsync(source.Array!, source.Offset, source.Count, cancellationToken).ConfigureAwait(false);
            return;
        }
        byte[] copy = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            buffer.CopyTo(copy);
            await streams.WriteAsync(copy, 0, buffer.Length, cancellationToken).ConfigureAwait(false);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private async ValueTask<int> ReadThroughAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        byte[] own = ArrayPool<byte>.Shared.Rent(buffer.Length);
        try
        {
            int count = await ReadAsync(own.AsMemory(0, buffer.Length), cancellation).ConfigureAwait(false);
            own.AsSpan(0, count).CopyTo(buffer.Span);
            return count;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(own);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer, offset, count, CancellationToken.None).GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing && Interlocked.Exchange(ref _disposed, 1) == 0)
            streams.Dispose();
        base.Dispose(disposing);
    }
}
