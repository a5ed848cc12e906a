using System.Net;
using StacyVM.Engine.Images.Layers;
using StacyVM.Engine.Images.Oci;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Registry;

/// <summary>Loads one layer into a file, going on where an earlier attempt, of this pull or of one before, broke off.</summary>
internal sealed class LayerDownload(RegistryClient registry, ImageFiles files, OciDescriptor layer, Action<long> advanced)
{
    private const int Attempts = 5;

    /// <summary>A host that sends nothing for so long is asked again.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(60);

    /// <returns>The path of the verified file; the caller removes it when it is unpacked.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> when it is not what its digest says, <see cref="ProblemKind.StorageFull"/>.</exception>
    /// <exception cref="HttpRequestException">It does not come, after several attempts.</exception>
    public async Task<string> RunAsync(CancellationToken cancellation)
    {
        string path = files.Download(layer.Digest);
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await LoadAsync(path, cancellation).ConfigureAwait(false);
                break;
            }
            catch (Exception e) when (e is HttpRequestException { StatusCode: null or >= HttpStatusCode.InternalServerError } or HttpIOException or EndOfStreamException
                && attempt < Attempts && !cancellation.IsCancellationRequested)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200 << attempt), cancellation).ConfigureAwait(false);
            }
            catch (IOException e) when (e.HResult is Libc.ENOSPC or Libc.EDQUOT)
            {
                File.Delete(path);
                throw new StacyVMException(ProblemKind.StorageFull, $"no room on the disk of {files.Root} for a layer of {layer.Size} bytes", e);
            }
        }
        await VerifyAsync(path, cancellation).ConfigureAwait(false);
        return path;
    }

    private async Task LoadAsync(string path, CancellationToken cancellation)
    {
        await using var file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.Write, FileShare.Read, 0);
        if (file.Length > layer.Size)
            file.SetLength(0);
        if (file.Length == layer.Size)
        {
            advanced(layer.Size);
            return;
        }
        (HttpResponseMessage answer, long offset) = await registry.BlobAsync(layer.Digest, file.Length, cancellation).ConfigureAwait(false);
        using (answer)
        {
            file.SetLength(offset);
            file.Seek(offset, SeekOrigin.Begin);
            advanced(offset);
            await using Stream content = await answer.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
            byte[] buffer = new byte[128 * 1024];
            while (await ReadAsync(content, buffer, cancellation).ConfigureAwait(false) is > 0 and int count)
            {
                // A registry that sends more than it has said fills no disk.
                if (file.Position + count > layer.Size)
                    throw new StacyVMException(ProblemKind.InvalidInput, $"a layer is larger than the {layer.Size} bytes that its image says");
                await file.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
                advanced(file.Position);
            }
            if (file.Position < layer.Size)
                throw new EndOfStreamException("the connection ended before the layer did");
        }
    }

    private static async Task<int> ReadAsync(Stream content, byte[] buffer, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Silence);
        try
        {
            return await content.ReadAsync(buffer, patience.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new EndOfStreamException($"nothing came for {Silence.TotalSeconds:0} seconds");
        }
    }

    private async Task VerifyAsync(string path, CancellationToken cancellation)
    {
        await using var content = new HashingStream(new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0));
        byte[] buffer = new byte[128 * 1024];
        while (await content.ReadAsync(buffer, cancellation).ConfigureAwait(false) > 0)
        {
        }
        ImageDigest found = content.Digest();
        if (found == layer.Digest)
            return;
        // Kept, it would be gone on with the next time.
        File.Delete(path);
        throw new StacyVMException(ProblemKind.InvalidInput, $"a layer is not what its digest says: it is {found} and should be {layer.Digest}");
    }
}
