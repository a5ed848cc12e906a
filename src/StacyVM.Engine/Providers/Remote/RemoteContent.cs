using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Remote;

/// <summary>
/// The part of an answer's body that was asked for, as a stream: bytes before it are passed over where the other side sends them all the same,
/// bytes after it are not read, and each step has a bound in time.
/// </summary>
internal sealed class RemoteContent(HttpResponseMessage answer, Stream body, long skip, long length, TimeSpan patience, Func<Exception, StacyVMException> explain) : Stream
{
    private long _skip = skip;
    private long _left = length;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || _left == 0)
            return 0;
        byte[]? passed = _skip > 0 ? new byte[(int)Math.Min(_skip, 256 * 1024)] : null;
        while (_skip > 0)
        {
            int count = await StepAsync(passed.AsMemory(0, (int)Math.Min(_skip, passed!.Length)), cancellationToken).ConfigureAwait(false);
            if (count == 0)
                return 0;
            _skip -= count;
        }
        int read = await StepAsync(buffer.Length > _left ? buffer[..(int)_left] : buffer, cancellationToken).ConfigureAwait(false);
        _left -= read;
        return read;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("only read asynchronously");

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            answer.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<int> StepAsync(Memory<byte> buffer, CancellationToken cancellation)
    {
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        bound.CancelAfter(patience);
        try
        {
            return await body.ReadAsync(buffer, bound.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw explain(new TimeoutException($"nothing came for {patience.TotalSeconds:0} s", e));
        }
        catch (Exception e) when (e is IOException or HttpRequestException)
        {
            throw explain(e);
        }
    }
}
