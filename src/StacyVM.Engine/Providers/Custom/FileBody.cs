using System.Net;
using System.Net.Http.Headers;
using System.Runtime.ExceptionServices;
using System.Text;
using System.Text.Json;

namespace StacyVM.Engine.Providers.Custom;

/// <summary>
/// The body that writes a file: a JSON object whose <c>content</c> is made while it is sent, so that no file is held in memory. When its source
/// breaks off the object stays open, and a backend that waits for its end writes nothing.
/// </summary>
internal sealed class FileBody : HttpContent
{
    private const int BlockSize = 48 * 1024;

    private readonly string _remote;
    private readonly string _path;
    private readonly uint? _mode;
    private readonly ReadOnlyMemory<byte> _start;
    private readonly Stream _rest;
    private readonly bool _base64;

    /// <param name="remote">Id of the sandbox at the backend.</param>
    /// <param name="path">Of the file.</param>
    /// <param name="mode">Null: says nothing about it.</param>
    /// <param name="start">The first bytes, which have been read already.</param>
    /// <param name="rest">Those that follow.</param>
    /// <param name="base64">Whether the content goes as base64; otherwise it has to be UTF-8.</param>
    public FileBody(string remote, string path, uint? mode, ReadOnlyMemory<byte> start, Stream rest, bool base64)
    {
        (_remote, _path, _mode, _start, _rest, _base64) = (remote, path, mode, start, rest, base64);
        Headers.ContentType = new MediaTypeHeaderValue("application/json");
    }

    /// <summary>Bytes of the file so far.</summary>
    public long Written { get; private set; }

    /// <summary>Why the source broke off, if it did: the client only says that the sending failed.</summary>
    public ExceptionDispatchInfo? Failure { get; private set; }

    protected override bool TryComputeLength(out long length)
    {
        length = 0;
        return false;
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        try
        {
            await WriteAsync(stream, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            Failure ??= ExceptionDispatchInfo.Capture(e);
            throw;
        }
    }

    private async Task WriteAsync(Stream target, CancellationToken cancellation)
    {
        // Not disposed: that would complete what has to stay open when the source breaks off.
        var json = new Utf8JsonWriter(target);
        var decoder = new UTF8Encoding(false, throwOnInvalidBytes: true).GetDecoder();
        json.WriteStartObject();
        json.WriteString("sandbox_id", _remote);
        json.WriteString("path", _path);
        if (_mode is { } mode)
            json.WriteString("mode", CustomRequests.Octal(mode));
        if (_base64)
            json.WriteString("encoding", "base64");
        json.WritePropertyName("content");
        for (int at = 0; at < _start.Length; at += BlockSize)
            await BlockAsync(_start.Slice(at, Math.Min(BlockSize, _start.Length - at))).ConfigureAwait(false);
        byte[] block = new byte[BlockSize];
        while (await _rest.ReadAtLeastAsync(block, block.Length, throwOnEndOfStream: false, cancellation).ConfigureAwait(false) is > 0 and int count)
            await BlockAsync(block.AsMemory(0, count)).ConfigureAwait(false);
        Segment(ReadOnlySpan<byte>.Empty, last: true);
        json.WriteEndObject();
        await json.FlushAsync(cancellation).ConfigureAwait(false);

        async Task BlockAsync(ReadOnlyMemory<byte> bytes)
        {
            Segment(bytes.Span, last: false);
            Written += bytes.Length;
            await json.FlushAsync(cancellation).ConfigureAwait(false);
        }

        void Segment(ReadOnlySpan<byte> bytes, bool last)
        {
            if (_base64)
            {
                json.WriteBase64StringSegment(bytes, last);
                return;
            }
            char[] text = new char[decoder.GetCharCount(bytes, flush: last)];
            decoder.GetChars(bytes, text, flush: last);
            json.WriteStringValueSegment(text, last);
        }
    }
}
