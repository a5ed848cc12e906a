namespace StacyVM.Sdk.Http;

/// <summary>The body of an answer: fails when it is silent for too long, and lets go of the connection when it is disposed.</summary>
internal sealed class WatchedStream(Stream inner, HttpResponseMessage response, ApiConnection connection) : Stream
{
    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    /// <summary>Length of the body when the server told it; throws otherwise.</summary>
    public override long Length => response.Content.Headers.ContentLength ?? throw new NotSupportedException("the server did not tell the length");

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ValueTask<int> pending = inner.ReadAsync(buffer, cancellationToken);
        try
        {
            // Most reads are answered from a buffer: no timer for those.
            if (pending.IsCompleted)
                return await pending.ConfigureAwait(false);
            return await pending.AsTask().WaitAsync(connection.IdleTimeout, cancellationToken).ConfigureAwait(false);
        }
        catch (TimeoutException fault)
        {
            response.Dispose();
            throw new ServerTimeoutException($"the server at {connection.Address.Text} was silent for {connection.IdleTimeout.TotalSeconds:0} s in the middle of a transfer", fault);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw connection.Unreachable(fault);
        }
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => inner.Read(buffer, offset, count);

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
            response.Dispose();
        }
        base.Dispose(disposing);
    }
}
