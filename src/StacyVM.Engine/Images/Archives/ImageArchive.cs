using StacyVM.Engine.Images.Layers;
using StacyVM.Engine.Images.Oci;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Archives;

/// <summary>A tar file on disk, compressed or not, whose members are looked up by name: nothing of it is ever unpacked under its own names.</summary>
internal sealed class ImageArchive(string path)
{
    /// <summary>A small member, whole; null when there is none of that name.</summary>
    public async Task<byte[]?> DocumentAsync(string member, CancellationToken cancellation)
    {
        byte[]? document = null;
        await VisitAsync(
            entry => document is null && entry.Kind == TarKind.File && entry.Path == member,
            async (entry, content) =>
            {
                if (entry.Size > OciJson.MaxDocumentBytes)
                    throw new StacyVMException(ProblemKind.InvalidInput, $"{member} of the archive has {entry.Size} bytes and may have {OciJson.MaxDocumentBytes}");
                document = new byte[entry.Size];
                await content.ReadExactlyAsync(document, cancellation).ConfigureAwait(false);
            },
            cancellation).ConfigureAwait(false);
        return document;
    }

    /// <summary>Links among the members, as old archives have them for layers that occur twice: link to what it stands for.</summary>
    public async Task<IReadOnlyDictionary<string, string>> LinksAsync(CancellationToken cancellation)
    {
        var links = new Dictionary<string, string>(StringComparer.Ordinal);
        await VisitAsync(
            entry =>
            {
                if (entry.Kind == TarKind.HardLink)
                    links[entry.Path] = entry.Target;
                else if (entry.Kind == TarKind.SymbolicLink)
                    links[entry.Path] = Path.GetFullPath(Path.Combine("/" + Path.GetDirectoryName(entry.Path), entry.Target))[1..];
                return false;
            },
            static (_, _) => Task.CompletedTask,
            cancellation).ConfigureAwait(false);
        return links;
    }

    /// <summary>Goes through all members once.</summary>
    /// <param name="wants">Which of them are read.</param>
    /// <param name="visit">Reads one; it need not read it to its end.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> when it is no archive.</exception>
    public async Task VisitAsync(Func<TarEntry, bool> wants, Func<TarEntry, Stream, Task> visit, CancellationToken cancellation)
    {
        try
        {
            await using Stream content = await Decompression.OpenAsync(File.OpenRead(path), cancellation).ConfigureAwait(false);
            var tar = new TarArchive(content);
            while (await tar.NextAsync(cancellation).ConfigureAwait(false) is { } entry)
            {
                if (wants(entry))
                    await visit(entry, new EntryStream(tar)).ConfigureAwait(false);
            }
        }
        catch (Exception cause) when (cause is InvalidDataException or EndOfStreamException or ZstdSharp.ZstdException)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"the archive cannot be read: {cause.Message}", cause);
        }
    }

    /// <summary>The content of the entry at which the archive stands.</summary>
    private sealed class EntryStream(TarArchive tar) : Stream
    {
        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) => tar.ReadAsync(buffer, cancellationToken);

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
