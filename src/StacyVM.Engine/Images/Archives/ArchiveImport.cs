using System.Text.Json;
using StacyVM.Engine.Images.Layers;
using StacyVM.Engine.Images.Oci;
using StacyVM.Engine.Images.Registry;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Archives;

/// <summary>Takes images out of an archive: of <c>docker save</c>, of an OCI layout, or a plain root file system, which becomes an image of one layer.</summary>
internal sealed class ArchiveImport(ImageFiles files, LayerStore layers)
{
    /// <param name="path">The archive.</param>
    /// <param name="rootAllowed">A plain root file system is wanted, too: it needs a name.</param>
    /// <param name="progress">Sentences.</param>
    /// <param name="cancellation">Leaves no image behind.</param>
    /// <returns>What it held, with the names in it.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>, <see cref="ProblemKind.StorageFull"/>.</exception>
    public async Task<IReadOnlyList<(PulledImage Image, IReadOnlyList<string> Names)>> RunAsync(
        string path, bool rootAllowed, IProgress<string> progress, CancellationToken cancellation)
    {
        var archive = new ImageArchive(path);
        if (await ArchiveContents.ReadAsync(archive, cancellation).ConfigureAwait(false) is { } images)
        {
            if (images.Count == 0)
                throw new StacyVMException(ProblemKind.InvalidInput, $"the archive holds no image for linux/{ImagePlatform.Architecture}");
            await UnpackAsync(archive, images, progress, cancellation).ConfigureAwait(false);
            return [.. images.Select(image => (Store(image.Document, image.Config), image.Names))];
        }
        if (!rootAllowed)
            throw new StacyVMException(ProblemKind.InvalidInput, "the archive is a plain root file system, which has no name of its own: give it one with name");
        progress.Report("unpacking a root file system");
        ImageDigest diff = await layers.AddUnknownAsync(_ => Task.FromResult<Stream>(File.OpenRead(path)), "the root file system", cancellation).ConfigureAwait(false);
        var config = new OciConfig { Os = "linux", Architecture = ImagePlatform.Architecture, RootFs = new OciRootFileSystem { DiffIds = [diff] } };
        return [(Store(JsonSerializer.SerializeToUtf8Bytes(config, OciJson.Default.OciConfig), config), [])];
    }

    /// <summary>One pass over the archive, in whatever order its members stand.</summary>
    private async Task UnpackAsync(ImageArchive archive, IReadOnlyList<ArchivedImage> images, IProgress<string> progress, CancellationToken cancellation)
    {
        var wanted = new Dictionary<string, ImageDigest>(StringComparer.Ordinal);
        foreach ((string member, ImageDigest diff) in images.SelectMany(image => image.Layers))
        {
            if (!layers.Has(diff))
                wanted[member] = diff;
        }
        int count = wanted.Count, done = 0;
        await archive.VisitAsync(
            entry => entry.Kind == TarKind.File && wanted.ContainsKey(entry.Path),
            async (entry, content) =>
            {
                wanted.Remove(entry.Path, out ImageDigest? diff);
                await layers.AddAsync(_ => Task.FromResult(content), diff!, "the archive", cancellation).ConfigureAwait(false);
                progress.Report($"layer {++done} of {count} unpacked");
            },
            cancellation).ConfigureAwait(false);
        if (wanted.Count > 0 && wanted.Values.Any(diff => !layers.Has(diff)))
            throw new StacyVMException(ProblemKind.InvalidInput, $"the archive is no whole image: its layer {wanted.Keys.First()} is missing");
    }

    private PulledImage Store(byte[] document, OciConfig config)
    {
        ImageDigest digest = ImageDigest.Of(document);
        files.WriteWhole(files.Blob(digest), document);
        return new PulledImage(digest, config);
    }
}
