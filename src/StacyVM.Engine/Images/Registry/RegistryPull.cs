using System.Globalization;
using System.Security.Authentication;
using System.Text;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images.Layers;
using StacyVM.Engine.Images.Oci;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Registry;

/// <summary>Brings an image from a registry: several layers at a time, only those that are not here yet, every byte held against its digest.</summary>
internal sealed class RegistryPull(ImageOptions options, ImageFiles files, LayerStore layers, HttpClient http)
{
    private const int AtATime = 3;
    private const int MaxLayers = 256;

    /// <summary>1 ask the mirrors and then the registry, 2 choose the manifest for this machine, 3 read the configuration, 4 load and unpack the layers.</summary>
    /// <param name="image">What to bring.</param>
    /// <param name="progress">Sentences.</param>
    /// <param name="cancellation">Abandons it; what is loaded so far is gone on with the next time.</param>
    /// <returns>The digest of its configuration, which is stored.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>: it cannot be had, with what each host said; <see cref="ProblemKind.StorageFull"/>.</exception>
    public async Task<PulledImage> RunAsync(ImageReference image, IProgress<string> progress, CancellationToken cancellation)
    {
        var credentials = new RegistryCredentials(options.AuthFile);
        var tried = new StringBuilder();
        // 1.
        foreach (RegistryHost host in RegistryHost.For(image, options))
        {
            try
            {
                progress.Report($"pulling {image.Familiar} from {host.Name}");
                return await PullAsync(new RegistryClient(http, host, image.Repository, credentials), image, progress, cancellation).ConfigureAwait(false);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested
                && e is HttpRequestException or HttpIOException or IOException { HResult: not 28 } or AuthenticationException or InvalidDataException or OperationCanceledException)
            {
                tried.Append(tried.Length == 0 ? "" : "; ").Append(Reason(e, host));
            }
        }
        throw new StacyVMException(ProblemKind.InvalidInput, $"image {image.Familiar} is not here and cannot be pulled: {tried}");
    }

    private async Task<PulledImage> PullAsync(RegistryClient registry, ImageReference image, IProgress<string> progress, CancellationToken cancellation)
    {
        // 2.
        (OciManifest manifest, ImageDigest _) = await registry.ManifestAsync(image.Digest?.ToString() ?? image.Tag!, cancellation).ConfigureAwait(false);
        if (manifest.IsIndex)
            (manifest, _) = await registry.ManifestAsync(ImagePlatform.Choose(manifest, image).Digest.ToString(), cancellation).ConfigureAwait(false);
        if (manifest is not { Config: { } config, Layers: { Count: > 0 and <= MaxLayers } descriptors })
            throw new StacyVMException(ProblemKind.InvalidInput, $"{image.Familiar} is no image that can run: its manifest has no configuration, or no layers");
        // 3.
        byte[] document = await registry.DocumentAsync(config.Digest, cancellation).ConfigureAwait(false);
        OciConfig parsed = OciJson.ReadConfig(document, $"the configuration of {image.Familiar}");
        ImagePlatform.Check(parsed, image.Familiar);
        List<ImageDigest> diffs = parsed.RootFs?.DiffIds ?? [];
        if (diffs.Count != descriptors.Count)
            throw new StacyVMException(ProblemKind.InvalidInput, $"{image.Familiar} has {descriptors.Count} layers and says that it has {diffs.Count}");
        // 4.
        List<(OciDescriptor Layer, ImageDigest Diff)> missing = [.. descriptors.Zip(diffs).Where(pair => !layers.Has(pair.Second)).DistinctBy(pair => pair.Second)];
        if (missing.Sum(pair => Math.Max(0, pair.Layer.Size)) is var size && size > options.MaxBytes)
            throw new StacyVMException(ProblemKind.InvalidInput, $"{image.Familiar} has {size} bytes to load, and images.max_bytes allows {options.MaxBytes}");
        var report = new PullReport(image.Familiar, size, missing.Count, progress);
        var parallel = new ParallelOptions { MaxDegreeOfParallelism = AtATime, CancellationToken = cancellation };
        await Parallel.ForEachAsync(missing, parallel, async (pair, ended) =>
        {
            var download = new LayerDownload(registry, files, pair.Layer, position => report.Advance(pair.Diff, position));
            string path = await download.RunAsync(ended).ConfigureAwait(false);
            await layers.AddAsync(_ => Task.FromResult<Stream>(File.OpenRead(path)), pair.Diff, image.Familiar, ended).ConfigureAwait(false);
            File.Delete(path);
            report.Done();
        }).ConfigureAwait(false);
        files.WriteWhole(files.Blob(config.Digest), document);
        return new PulledImage(config.Digest, parsed);
    }

    private static string Reason(Exception error, RegistryHost host) => error switch
    {
        HttpRequestException { StatusCode: not null } => error.Message,
        OperationCanceledException => $"{host.Name} did not answer in time",
        _ => $"{host.Name} cannot be used ({error.Message})",
    };

    /// <summary>Says how far it is, in steps that a person wants to read.</summary>
    private sealed class PullReport(string image, long total, int count, IProgress<string> progress)
    {
        private const int Steps = 10;

        private readonly Lock _lock = new();
        private readonly Dictionary<ImageDigest, long> _positions = [];
        private long _told;
        private int _done;

        public void Advance(ImageDigest layer, long position)
        {
            lock (_lock)
            {
                _positions[layer] = position;
                long loaded = _positions.Values.Sum();
                if (total == 0 || loaded * Steps / total <= _told)
                    return;
                _told = loaded * Steps / total;
                progress.Report(string.Create(CultureInfo.InvariantCulture, $"pulling {image}: {loaded / 1e6:0.0} of {total / 1e6:0.0} MB"));
            }
        }

        public void Done()
        {
            lock (_lock)
                progress.Report($"pulling {image}: layer {++_done} of {count} unpacked");
        }
    }
}

/// <summary>What a pull or an import has brought.</summary>
/// <param name="Digest">Of the configuration.</param>
/// <param name="Config">The configuration.</param>
internal sealed record PulledImage(ImageDigest Digest, OciConfig Config);
