namespace StacyVM.Engine.Agents;

/// <summary>A TCP connection inside the sandbox, as a stream. Both directions end independently, as those of a socket do.</summary>
internal sealed class PortStream(AgentChannel channel) : Stream
{
    private ReadOnlyMemory<byte> _piece;
    private bool _inputEnded;

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Half-close: the server in the sandbox reads the end, and may go on to send.</summary>
    public void CompleteWrites()
    {
        if (_inputEnded)
            return;
        _inputEnded = true;
        channel.End();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (_piece.IsEmpty)
        {
            try
            {
                if (await channel.ReadAsync(cancellationToken).ConfigureAwait(false) is not { } piece)
                    return 0;
                _piece = piece.Data;
            }
            catch (Protocol.Problems.StacyVMException e)
            {
                // What reads a network stream knows IOException.
                throw new IOException(e.Message, e);
            }
        }
        int count = Math.Min(buffer.Length, _piece.Length);
        _piece.Span[..count].CopyTo(buffer.Span);
        _piece = _piece[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        ObjectDisposedException.ThrowIf(_inputEnded, this);
        try
        {
            if (!await channel.WriteAsync(buffer, cancellationToken).ConfigureAwait(false))
                throw new IOException("the connection was closed by the sandbox");
        }
        catch (Protocol.Problems.StacyVMException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            _piece = default;
            channel.Drop();
        }
        base.Dispose(disposing);
    }
}
