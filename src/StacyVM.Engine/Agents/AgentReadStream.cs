using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>A file's content on its way from the agent. Its end is the agent's word that all came; a failure in the middle is a problem, not a short file.</summary>
internal sealed class AgentReadStream(AgentChannel channel, AgentOperations operations, string path) : Stream
{
    private ReadOnlyMemory<byte> _piece;
    private bool _done;

    public override bool CanRead => true;

    public override bool CanWrite => false;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty || !await FillAsync(cancellationToken).ConfigureAwait(false))
            return 0;
        int count = Math.Min(buffer.Length, _piece.Length);
        _piece.Span[..count].CopyTo(buffer.Span);
        _piece = _piece[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    /// <summary>Hands over each piece as it was received, without a copy.</summary>
    public override async Task CopyToAsync(Stream destination, int bufferSize, CancellationToken cancellationToken)
    {
        while (await FillAsync(cancellationToken).ConfigureAwait(false))
        {
            await destination.WriteAsync(_piece, cancellationToken).ConfigureAwait(false);
            _piece = default;
        }
    }

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

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

    /// <returns>False at the end.</returns>
    private async ValueTask<bool> FillAsync(CancellationToken cancellation)
    {
        if (!_piece.IsEmpty)
            return true;
        if (_done)
            return false;
        if (await channel.ReadAsync(cancellation).ConfigureAwait(false) is { } piece)
        {
            _piece = piece.Data;
            return true;
        }
        try
        {
            await channel.BodyAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is AgentRefusal or ProtocolViolationException)
        {
            throw operations.Translate(e, path);
        }
        _done = true;
        return false;
    }
}
