using System.IO.Compression;
using ZstdSharp;

namespace StacyVM.Engine.Images.Layers;

/// <summary>Opens what may be compressed by gzip or zstd: found by its first bytes, since media types lie and archives have none.</summary>
internal static class Decompression
{
    private static readonly byte[] Gzip = [0x1F, 0x8B];
    private static readonly byte[] Zstd = [0x28, 0xB5, 0x2F, 0xFD];

    /// <param name="source">Read from where it stands; closed with the result.</param>
    /// <param name="cancellation">Ends the reading of the first bytes.</param>
    public static async Task<Stream> OpenAsync(Stream source, CancellationToken cancellation)
    {
        byte[] start = new byte[4];
        int count = await source.ReadAtLeastAsync(start, start.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false);
        var whole = new PrefixedStream(start.AsMemory(0, count), source);
        if (start.AsSpan(0, count).StartsWith(Gzip))
            return new GZipStream(whole, CompressionMode.Decompress);
        // The window, and so the memory, is bounded by the decoder itself: 128 MiB.
        return start.AsSpan(0, count).StartsWith(Zstd) ? new DecompressionStream(whole, leaveOpen: false) : whole;
    }

    /// <summary>Bytes that were read to have a look, and then the rest.</summary>
    private sealed class PrefixedStream(ReadOnlyMemory<byte> prefix, Stream rest) : Stream
    {
        private ReadOnlyMemory<byte> _prefix = prefix;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer) => _prefix.IsEmpty ? rest.Read(buffer) : Take(buffer);

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            _prefix.IsEmpty ? rest.ReadAsync(buffer, cancellationToken) : ValueTask.FromResult(Take(buffer.Span));

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing)
                rest.Dispose();
            base.Dispose(disposing);
        }

        private int Take(Span<byte> buffer)
        {
            int count = Math.Min(buffer.Length, _prefix.Length);
            _prefix.Span[..count].CopyTo(buffer);
            _prefix = _prefix[count..];
            return count;
        }
    }
}
