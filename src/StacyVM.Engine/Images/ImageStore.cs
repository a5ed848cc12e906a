using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images.Archives;
using StacyVM.Engine.Images.Disks;
using StacyVM.Engine.Images.Layers;
using StacyVM.Engine.Images.Registry;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images;

/// <summary>
/// Images for every level that is built here: pulled from registries or imported from archives, verified, unpacked once and shared. Safe for
/// many threads.
/// </summary>
/// <remarks>
/// An image in use is never removed. Who uses one says so in a file <c>image</c>, the digest of its configuration, in the directory of its sandbox or
/// checkpoint: it goes with that directory, so that nothing has to be given back after a crash.
/// </remarks>
internal sealed partial class ImageStore : IDisposable
{
    /// <summary>File in the directory of a sandbox or a checkpoint that names the image it uses.</summary>
    public const string UseFile = "image";

    private const int NamedInErrors = 10;
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan AnswerPatience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, SharedPull<StoredImage>> _pulls = new(StringComparer.Ordinal);
    private readonly ImageOptions _options;
    private readonly ImageFiles _files;
    private readonly LayerStore _layers;
    private readonly ImageCatalog _catalog;
    private readonly RootDisks _disks;
    private readonly HttpClient _http;
    private readonly string[] _users;
    private readonly ILogger _log;

    /// <summary>Between the finding of an image and the mark that it is used nothing may be removed.</summary>
    private readonly Lock _using = new();

    public ImageStore(string dataDirectory, ImageOptions options, ILogger<ImageStore> log, TimeProvider time)
    {
        (_options, _log) = (options, log);
        _files = new ImageFiles(dataDirectory);
        _files.RemoveDrafts();
        _layers = new LayerStore(_files, new UnpackLimits(options.MaxBytes));
        _catalog = new ImageCatalog(_files, _layers, time);
        _disks = new RootDisks(_files);
        _users = [Path.Combine(dataDirectory, "sandboxes"), Path.Combine(dataDirectory, "checkpoints")];
        _http = new HttpClient(new SocketsHttpHandler
        {
            ConnectTimeout = ConnectPatience,
            // Layers are compressed already, and their digests are of what is on the wire.
            AutomaticDecompression = System.Net.DecompressionMethods.None,
            PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        })
        {
            Timeout = AnswerPatience,
        };
        _http.DefaultRequestHeaders.UserAgent.ParseAdd("stacyvm");
    }

    /// <summary>Every image that is here.</summary>
    public IReadOnlyList<StoredImage> All => _catalog.All;

    /// <summary>By name or digest; null when it is not here.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for what is no image name.</exception>
    public StoredImage? Find(string name) =>
        ImageDigest.TryParse(name) is { } digest ? _catalog.Find(digest) : _catalog.Find(ImageReference.Parse(name));

    /// <summary>An image that is here, pulled when it is not.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>: it cannot be had, with what was tried and what is here; <see cref="ProblemKind.StorageFull"/>.</exception>
    public async Task<StoredImage> EnsureAsync(string name, IProgress<string>? progress, CancellationToken cancellation)
    {
        if (Find(name) is { } present)
            return present;
        if (ImageDigest.TryParse(name) is not null || !_options.Pull)
            throw new StacyVMException(ProblemKind.InvalidInput, $"image {name} is not here; {WhatIsHere()}");
        try
        {
            return await PullAsync(name, progress, cancellation).ConfigureAwait(false);
        }
        catch (StacyVMException problem) when (problem.Kind == ProblemKind.InvalidInput)
        {
            throw new StacyVMException(ProblemKind.InvalidInput, $"{problem.Detail}; {WhatIsHere()}", problem);
        }
    }

    /// <summary>Asks the registry anew, also when the image is here: a tag may have moved. One pull serves all that ask for it at the time.</summary>
    /// <inheritdoc cref="EnsureAsync"/>
    public async Task<StoredImage> PullAsync(string name, IProgress<string>? progress, CancellationToken cancellation)
    {
        ImageReference reference = ImageReference.Parse(name);
        string key = reference.ToString();
        while (true)
        {
            SharedPull<StoredImage> pull = _pulls.GetOrAdd(key, _ => new SharedPull<StoredImage>((report, abandoned) => PullOnceAsync(reference, report, abandoned), Ended));
            if (pull.TryJoin(progress))
                return await pull.WaitAsync(progress, cancellation).ConfigureAwait(false);
            Ended(pull);
        }

        void Ended(SharedPull<StoredImage> over) => _pulls.TryRemove(KeyValuePair.Create(key, over));
    }

    /// <summary>Takes images from an archive: of <c>docker save</c>, an OCI layout, or a plain root file system, each compressed or not.</summary>
    /// <param name="archive">Read to its end, into a file first.</param>
    /// <param name="name">What to call it; needed for a root file system, and only for archives of one image.</param>
    /// <param name="progress">Sentences.</param>
    /// <param name="cancellation">Leaves no image behind.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/>, <see cref="ProblemKind.StorageFull"/>.</exception>
    public async Task<IReadOnlyList<StoredImage>> ImportAsync(Stream archive, string? name, IProgress<string>? progress, CancellationToken cancellation)
    {
        ImageReference? wished = name is null ? null : ImageReference.Parse(name);
        string draft = _files.NewDraft();
        try
        {
            await SpoolAsync(archive, draft, cancellation).ConfigureAwait(false);
            var found = await new ArchiveImport(_files, _layers).RunAsync(draft, wished is not null, progress ?? new Silence(), cancellation).ConfigureAwait(false);
            if (wished is not null && found.Count > 1)
                throw new StacyVMException(ProblemKind.InvalidInput, $"the archive holds {found.Count} images, which cannot all be called {wished.Familiar}");
            List<StoredImage> images = [];
            foreach ((PulledImage image, IReadOnlyList<string> names) in found)
            {
                List<ImageReference> called = wished is not null ? [wished] : [.. names.Select(ImageReference.TryParse).OfType<ImageReference>()];
                if (called.Count == 0)
                    throw new StacyVMException(ProblemKind.InvalidInput, "the archive does not say what its image is called: give it a name");
                images.Add(Keep(image, called));
            }
            return images;
        }
        finally
        {
            File.Delete(draft);
        }
    }

    /// <summary>Removes a name, and the image with its last one.</summary>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.NotFound"/>; <see cref="ProblemKind.Conflict"/> while a sandbox uses it, which is named.</exception>
    public void Remove(string name)
    {
        StoredImage image = Find(name) ?? throw new StacyVMException(ProblemKind.NotFound, $"image {name} is not here; {WhatIsHere()}");
        lock (_using)
        {
            bool byDigest = ImageDigest.TryParse(name) is not null;
            if (!byDigest && image.Names.Count > 1)
            {
                _catalog.RemoveName(ImageReference.Parse(name));
                return;
            }
            if (Users(image.Digest) is [string first, ..] users)
                throw new StacyVMException(ProblemKind.Conflict, $"image {image.Title} is in use by {first}{(users.Count > 1 ? $" and {users.Count - 1} more" : "")}; destroy what uses it first");
            _catalog.Remove(image.Digest);
        }
        Sweep();
        Removed(_log, image.Title);
    }

    /// <summary>Removes every image that no sandbox uses.</summary>
    /// <param name="unnamedOnly">Only those whose last name is gone.</param>
    /// <returns>What was removed, and the bytes that this freed.</returns>
    public (IReadOnlyList<string> Removed, long Bytes) Prune(bool unnamedOnly)
    {
        List<string> removed = [];
        lock (_using)
        {
            foreach (StoredImage image in _catalog.All)
            {
                if ((unnamedOnly && image.Names.Count > 0) || Users(image.Digest).Count > 0)
                    continue;
                _catalog.Remove(image.Digest);
                removed.Add(image.Title);
            }
        }
        return (removed, Sweep());
    }

    /// <summary>Marks an image as used by a sandbox, in its directory.</summary>
    /// <returns>The directories of its layers, uppermost first, as an overlay wants them.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.NotFound"/> when it was removed meanwhile.</exception>
    public IReadOnlyList<string> Use(StoredImage image, string sandboxDirectory)
    {
        lock (_using)
        {
            if (_catalog.Find(image.Digest) is null)
                throw new StacyVMException(ProblemKind.NotFound, $"image {image.Title} was removed just now; try again");
            File.WriteAllText(Path.Combine(sandboxDirectory, UseFile), image.Digest.ToString());
        }
        return LayersOf(image);
    }

    /// <summary>The directories of its layers, uppermost first, for those who only look.</summary>
    public IReadOnlyList<string> LayersOf(StoredImage image) => [.. image.Layers.Reverse().Select(_files.Layer)];

    /// <summary>An image as a disk of machines, made when it is not there yet.</summary>
    /// <returns>A file below a directory that is the server's alone.</returns>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.StorageFull"/>.</exception>
    public Task<string> DiskAsync(StoredImage image, IProgress<string>? progress, CancellationToken cancellation) =>
        _disks.EnsureAsync(image, LayersOf(image), progress, cancellation);

    /// <summary>Whom the programs of an image run as.</summary>
    public ImageUser UserOf(StoredImage image) => ImageUser.Of(image, new ImageFileReader(LayersOf(image)));

    /// <summary>Directory of all layers.</summary>
    public string LayersDirectory => _files.Layers;

    public void Dispose() => _http.Dispose();

    private async Task<StoredImage> PullOnceAsync(ImageReference reference, IProgress<string> progress, CancellationToken abandoned)
    {
        PullStarted(_log, reference.Familiar);
        PulledImage image = await new RegistryPull(_options, _files, _layers, _http).RunAsync(reference, progress, abandoned).ConfigureAwait(false);
        StoredImage stored = Keep(image, [reference]);
        PullEnded(_log, reference.Familiar, stored.Bytes);
        return stored;
    }

    private StoredImage Keep(PulledImage image, IReadOnlyList<ImageReference> names)
    {
        long bytes = (image.Config.RootFs?.DiffIds ?? []).Distinct().Sum(_layers.BytesOf);
        lock (_using)
            return _catalog.Add(new PulledImageEntry(image.Digest, image.Config, bytes), names);
    }

    /// <summary>Removes layers and documents that belong to no image any more, and downloads that were given up.</summary>
    private long Sweep()
    {
        if (!_pulls.IsEmpty)
            return 0;
        HashSet<ImageDigest> layers, documents;
        lock (_using)
        {
            IReadOnlyList<StoredImage> images = _catalog.All;
            layers = [.. images.SelectMany(image => image.Layers)];
            documents = [.. images.Select(image => image.Digest)];
        }
        long freed = 0;
        foreach (ImageDigest diff in _layers.All().Where(diff => !layers.Contains(diff)).ToList())
        {
            freed += _layers.BytesOf(diff);
            _layers.Remove(diff);
        }
        foreach (string blob in Directory.EnumerateFiles(_files.Blobs))
        {
            if (!ImageDigest.TryFromHex(Path.GetFileName(blob), out ImageDigest? digest) || !documents.Contains(digest))
                File.Delete(blob);
        }
        foreach (string disk in Directory.EnumerateFiles(_files.Disks))
        {
            if (ImageDigest.TryFromHex(Path.GetFileName(disk), out ImageDigest? digest) && documents.Contains(digest))
                continue;
            freed += new FileInfo(disk).Length;
            File.Delete(disk);
        }
        foreach (string download in Directory.EnumerateFiles(_files.Drafts, "download-*"))
            File.Delete(download);
        return freed;
    }

    private List<string> Users(ImageDigest digest)
    {
        List<string> users = [];
        foreach (string directory in _users.Where(Directory.Exists).SelectMany(Directory.EnumerateDirectories))
        {
            string use = Path.Combine(directory, UseFile);
            if (File.Exists(use) && File.ReadAllText(use).Trim() == digest.ToString())
                users.Add(Path.GetFileName(directory));
        }
        return users;
    }

    private async Task SpoolAsync(Stream archive, string draft, CancellationToken cancellation)
    {
        try
        {
            await using var file = new FileStream(draft, FileMode.CreateNew, FileAccess.Write, FileShare.None, 128 * 1024);
            byte[] buffer = new byte[128 * 1024];
            while (await archive.ReadAsync(buffer, cancellation).ConfigureAwait(false) is > 0 and int count)
            {
                if (file.Position + count > _options.MaxBytes)
                    throw new StacyVMException(ProblemKind.PayloadTooLarge, $"the archive is larger than images.max_bytes ({_options.MaxBytes})");
                await file.WriteAsync(buffer.AsMemory(0, count), cancellation).ConfigureAwait(false);
            }
        }
        catch (IOException cause) when (cause.HResult is Libc.ENOSPC or Libc.EDQUOT)
        {
            throw new StacyVMException(ProblemKind.StorageFull, $"no room on the disk of {_files.Root} for the archive", cause);
        }
    }

    private string WhatIsHere()
    {
        IReadOnlyList<StoredImage> images = [.. _catalog.All.Where(image => image.Names.Count > 0)];
        if (images.Count == 0)
            return "no image is here yet: stacyvm image pull or stacyvm image import brings one";
        string more = images.Count > NamedInErrors ? $" and {images.Count - NamedInErrors} more" : "";
        return $"here are: {string.Join(", ", images.Take(NamedInErrors).Select(image => image.Title))}{more}";
    }

    private sealed class Silence : IProgress<string>
    {
        public void Report(string value)
        {
        }
    }

    [LoggerMessage(EventName = "image.pull_started", Level = LogLevel.Information, Message = "pulling {Image}")]
    private static partial void PullStarted(ILogger log, string image);

    [LoggerMessage(EventName = "image.pulled", Level = LogLevel.Information, Message = "{Image} is here: {Bytes} bytes unpacked")]
    private static partial void PullEnded(ILogger log, string image, long bytes);

    [LoggerMessage(EventName = "image.removed", Level = LogLevel.Information, Message = "image {Image} removed")]
    private static partial void Removed(ILogger log, string image);
}
