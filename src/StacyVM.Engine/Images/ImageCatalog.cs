using System.Text.Json;
using StacyVM.Engine.Images.Layers;
using StacyVM.Engine.Images.Oci;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images;

/// <summary>The images that are here and their names, held in memory and written through. Safe for many threads.</summary>
internal sealed class ImageCatalog
{
    private readonly Lock _lock = new();
    private readonly ImageFiles _files;
    private readonly TimeProvider _time;
    private readonly Dictionary<ImageDigest, StoredImage> _images = [];
    private readonly SortedDictionary<string, ImageDigest> _names = new(StringComparer.Ordinal);

    /// <summary>Reads what is there. An image of which a part is missing is forgotten: it can be had again.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.Unavailable"/> for a catalog that cannot be read, with what to do.</exception>
    public ImageCatalog(ImageFiles files, LayerStore layers, TimeProvider time)
    {
        (_files, _time) = (files, time);
        CatalogFile stored = Read();
        foreach ((string text, CatalogImage entry) in stored.Images)
        {
            if (ImageDigest.TryParse(text) is not { } digest || !File.Exists(files.Blob(digest)))
                continue;
            OciConfig config = OciJson.ReadConfig(File.ReadAllBytes(files.Blob(digest)), files.Blob(digest));
            if (config.RootFs?.DiffIds.All(layers.Has) == true)
                _images[digest] = Describe(digest, config, entry.Bytes, entry.StoredAt);
        }
        foreach ((string name, string text) in stored.Names)
        {
            if (ImageDigest.TryParse(text) is { } digest && _images.ContainsKey(digest))
                _names[name] = digest;
        }
    }

    /// <summary>Every image, by name; those without one last.</summary>
    public IReadOnlyList<StoredImage> All
    {
        get
        {
            lock (_lock)
                return [.. _images.Keys.Select(Named).OrderBy(image => image.Names.Count == 0).ThenBy(image => image.Title, StringComparer.Ordinal)];
        }
    }

    /// <summary>By name, or by digest where one stands in it.</summary>
    public StoredImage? Find(ImageReference reference)
    {
        lock (_lock)
            return _names.TryGetValue(reference.ToString(), out ImageDigest? digest) ? Named(digest) : null;
    }

    public StoredImage? Find(ImageDigest digest)
    {
        lock (_lock)
            return _images.ContainsKey(digest) ? Named(digest) : null;
    }

    /// <summary>Adds an image whose layers are here, or gives one that is known another name; a name that another had moves.</summary>
    public StoredImage Add(PulledImageEntry image, IEnumerable<ImageReference> names)
    {
        lock (_lock)
        {
            if (!_images.ContainsKey(image.Digest))
                _images[image.Digest] = Describe(image.Digest, image.Config, image.Bytes, _time.GetUtcNow().UtcDateTime);
            foreach (ImageReference name in names)
                _names[name.ToString()] = image.Digest;
            Write();
            return Named(image.Digest);
        }
    }

    /// <returns>False when there is no such name.</returns>
    public bool RemoveName(ImageReference name)
    {
        lock (_lock)
        {
            if (!_names.Remove(name.ToString()))
                return false;
            Write();
            return true;
        }
    }

    /// <summary>Removes an image and all its names.</summary>
    public void Remove(ImageDigest digest)
    {
        lock (_lock)
        {
            _images.Remove(digest);
            foreach (string name in _names.Where(pair => pair.Value == digest).Select(pair => pair.Key).ToList())
                _names.Remove(name);
            Write();
        }
    }

    private StoredImage Named(ImageDigest digest) =>
        _images[digest] with { Names = [.. _names.Where(pair => pair.Value == digest).Select(pair => pair.Key)] };

    private static StoredImage Describe(ImageDigest digest, OciConfig config, long bytes, DateTime storedAt) => new(
        digest, [], config.RootFs?.DiffIds ?? [], bytes, config.Created?.UtcDateTime, storedAt, ImageConfig.From(config.Config));

    private CatalogFile Read()
    {
        if (!File.Exists(_files.Catalog))
            return new CatalogFile();
        try
        {
            CatalogFile? stored = JsonSerializer.Deserialize(File.ReadAllBytes(_files.Catalog), OciJson.Default.CatalogFile);
            return stored is { Version: CatalogFile.CurrentVersion } ? stored : throw new JsonException("it is of another version");
        }
        catch (Exception cause) when (cause is JsonException or IOException or UnauthorizedAccessException)
        {
            throw new StacyVMException(
                ProblemKind.Unavailable, $"the list of images {_files.Catalog} cannot be read ({cause.Message}): move {_files.Root} away, images can be had again", cause);
        }
    }

    private void Write()
    {
        var stored = new CatalogFile
        {
            Images = _images.ToDictionary(pair => pair.Key.ToString(), pair => new CatalogImage { Bytes = pair.Value.Bytes, StoredAt = pair.Value.StoredAt }),
            Names = _names.ToDictionary(pair => pair.Key, pair => pair.Value.ToString()),
        };
        _files.WriteWhole(_files.Catalog, JsonSerializer.SerializeToUtf8Bytes(stored, OciJson.Default.CatalogFile));
    }
}

/// <summary>An image whose layers and configuration are stored.</summary>
/// <param name="Digest">Of the configuration.</param>
/// <param name="Config">The configuration.</param>
/// <param name="Bytes">Of its unpacked layers.</param>
internal sealed record PulledImageEntry(ImageDigest Digest, OciConfig Config, long Bytes);
