using System.Collections.Concurrent;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Layers;

/// <summary>Unpacked layers, each once, by the digest of its archive without compression: images that share one share its directory.</summary>
internal sealed class LayerStore(ImageFiles files, UnpackLimits limits)
{
    private readonly ConcurrentDictionary<ImageDigest, SemaphoreSlim> _turns = new();

    public bool Has(ImageDigest diff) => Directory.Exists(files.Layer(diff));

    /// <summary>Unpacks a layer that is not there yet: into a draft, verified, then by one rename.</summary>
    /// <param name="open">Opens its archive, compressed or not. Only called when it is needed.</param>
    /// <param name="diff">What the archive without compression must be.</param>
    /// <param name="image">For errors.</param>
    /// <param name="cancellation">Leaves nothing behind.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for an archive that is not what it should be, <see cref="ProblemKind.StorageFull"/>.</exception>
    public async Task AddAsync(Func<CancellationToken, Task<Stream>> open, ImageDigest diff, string image, CancellationToken cancellation)
    {
        SemaphoreSlim turn = _turns.GetOrAdd(diff, static _ => new SemaphoreSlim(1));
        await turn.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (Has(diff))
                return;
            (string draft, ImageDigest found) = await UnpackAsync(open, image, cancellation).ConfigureAwait(false);
            if (found != diff)
            {
                TreeRemoval.Remove(draft);
                throw new StacyVMException(ProblemKind.InvalidInput, $"a layer of {image} is not what the image says: it is {found} and should be {diff}");
            }
            Keep(draft, diff);
        }
        finally
        {
            turn.Release();
        }
    }

    /// <summary>Unpacks an archive whose digest is not known beforehand.</summary>
    /// <inheritdoc cref="AddAsync"/>
    public async Task<ImageDigest> AddUnknownAsync(Func<CancellationToken, Task<Stream>> open, string image, CancellationToken cancellation)
    {
        (string draft, ImageDigest found) = await UnpackAsync(open, image, cancellation).ConfigureAwait(false);
        Keep(draft, found);
        return found;
    }

    /// <summary>Digests of all layers that are there.</summary>
    public IEnumerable<ImageDigest> All()
    {
        foreach (string path in Directory.EnumerateDirectories(files.Layers))
        {
            if (ImageDigest.TryFromHex(Path.GetFileName(path), out ImageDigest? digest))
                yield return digest;
        }
    }

    /// <summary>Removes a layer; its name goes first, so that one that is cut off is a draft and no layer.</summary>
    public void Remove(ImageDigest diff)
    {
        string draft = files.NewDraft();
        if (Libc.Rename(files.Layer(diff), draft) == 0)
            TreeRemoval.Remove(draft);
    }

    /// <summary>Bytes that a layer takes on disk.</summary>
    public long BytesOf(ImageDigest diff)
    {
        var options = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.ReparsePoint, IgnoreInaccessible = true };
        return new DirectoryInfo(files.Layer(diff)).EnumerateFiles("*", options).Sum(file => file.Length);
    }

    private async Task<(string Draft, ImageDigest Found)> UnpackAsync(Func<CancellationToken, Task<Stream>> open, string image, CancellationToken cancellation)
    {
        string draft = files.NewDraft();
        Directory.CreateDirectory(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        try
        {
            await using Stream source = await open(cancellation).ConfigureAwait(false);
            await using Stream archive = await Decompression.OpenAsync(source, cancellation).ConfigureAwait(false);
            await using var hashed = new HashingStream(archive);
            await new LayerUnpacker(limits).UnpackAsync(hashed, draft, cancellation).ConfigureAwait(false);
            return (draft, hashed.Digest());
        }
        catch (Exception cause)
        {
            TreeRemoval.Remove(draft);
            throw cause switch
            {
                InvalidDataException or ZstdSharp.ZstdException or EndOfStreamException =>
                    new StacyVMException(ProblemKind.InvalidInput, $"a layer of {image} cannot be unpacked: {cause.Message}", cause),
                IOException { HResult: Libc.ENOSPC or Libc.EDQUOT } =>
                    new StacyVMException(ProblemKind.StorageFull, $"no room on the disk of {files.Root} to unpack {image}; free some, or stacyvm image prune", cause),
                _ => cause,
            };
        }
    }

    private void Keep(string draft, ImageDigest diff)
    {
        if (Libc.Rename(draft, files.Layer(diff)) != 0)
        {
            // Another import had the same one at the same time.
            TreeRemoval.Remove(draft);
            if (!Has(diff))
                throw new IOException($"cannot rename {draft}: {Libc.LastError()}");
        }
    }
}
