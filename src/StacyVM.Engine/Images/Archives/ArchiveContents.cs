using StacyVM.Engine.Images.Oci;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Images.Archives;

/// <summary>Finds the images in an archive: the form of <c>docker save</c>, or an OCI layout. What is neither is a root file system.</summary>
internal static class ArchiveContents
{
    private const int MaxLayers = 256;

    /// <summary>Where builders put the name. OCI annotations; containerd's own.</summary>
    private static readonly string[] NameAnnotations = ["io.containerd.image.name", "org.opencontainers.image.ref.name"];

    /// <returns>Null when it holds no image but files.</returns>
    public static async Task<IReadOnlyList<ArchivedImage>?> ReadAsync(ImageArchive archive, CancellationToken cancellation)
    {
        // New archives of docker save have both: the OCI part knows less names.
        if (await archive.DocumentAsync("manifest.json", cancellation).ConfigureAwait(false) is { } list && LooksLikeList(list))
            return await FromDockerAsync(archive, list, cancellation).ConfigureAwait(false);
        if (await archive.DocumentAsync("oci-layout", cancellation).ConfigureAwait(false) is null)
            return null;
        byte[] index = await archive.DocumentAsync("index.json", cancellation).ConfigureAwait(false)
            ?? throw Broken("it has oci-layout and no index.json");
        return await FromLayoutAsync(archive, OciJson.ReadManifest(index, "index.json"), cancellation).ConfigureAwait(false);
    }

    private static bool LooksLikeList(byte[] json) => json.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'[', ..];

    private static async Task<IReadOnlyList<ArchivedImage>> FromDockerAsync(ImageArchive archive, byte[] list, CancellationToken cancellation)
    {
        IReadOnlyDictionary<string, string> links = await archive.LinksAsync(cancellation).ConfigureAwait(false);
        List<ArchivedImage> images = [];
        foreach (DockerArchiveEntry entry in OciJson.ReadArchiveEntries(list, "manifest.json"))
        {
            byte[] document = await RequiredAsync(archive, entry.Config, cancellation).ConfigureAwait(false);
            images.Add(Describe(document, entry.RepoTags ?? [], [.. entry.Layers.Select(member => links.GetValueOrDefault(member, member))]));
        }
        return images;
    }

    private static async Task<IReadOnlyList<ArchivedImage>> FromLayoutAsync(ImageArchive archive, OciManifest index, CancellationToken cancellation)
    {
        List<ArchivedImage> images = [];
        foreach (OciDescriptor descriptor in index.Manifests ?? [])
        {
            if (descriptor.Platform is { Os: "unknown" } || (descriptor.Platform is { Architecture.Length: > 0 } platform && platform.Architecture != ImagePlatform.Architecture))
                continue;
            OciManifest manifest = OciJson.ReadManifest(await BlobAsync(archive, descriptor, cancellation).ConfigureAwait(false), "a manifest of the archive");
            string? name = NameAnnotations.Select(key => descriptor.Annotations?.GetValueOrDefault(key)).FirstOrDefault(text => text is not null);
            if (manifest.IsIndex)
            {
                OciDescriptor chosen = ImagePlatform.Choose(manifest, ImageReference.TryParse(name ?? "") ?? ImageReference.Parse("archive"));
                manifest = OciJson.ReadManifest(await BlobAsync(archive, chosen, cancellation).ConfigureAwait(false), "a manifest of the archive");
            }
            if (manifest is not { Config: { } config, Layers: { } layers })
                throw Broken("a manifest has no configuration or no layers");
            byte[] document = await BlobAsync(archive, config, cancellation).ConfigureAwait(false);
            images.Add(Describe(document, name is null ? [] : [name], [.. layers.Select(layer => Member(layer.Digest))]));
        }
        return images;
    }

    private static ArchivedImage Describe(byte[] document, IReadOnlyList<string> names, IReadOnlyList<string> members)
    {
        OciConfig config = OciJson.ReadConfig(document, "the configuration in the archive");
        ImagePlatform.Check(config, names.Count > 0 ? names[0] : "in the archive");
        List<ImageDigest> diffs = config.RootFs?.DiffIds ?? [];
        if (members.Count is 0 or > MaxLayers || diffs.Count != members.Count)
            throw Broken($"an image has {members.Count} layers and says that it has {diffs.Count}");
        return new ArchivedImage(document, config, names, [.. members.Zip(diffs)]);
    }

    private static async Task<byte[]> BlobAsync(ImageArchive archive, OciDescriptor descriptor, CancellationToken cancellation)
    {
        byte[] content = await RequiredAsync(archive, Member(descriptor.Digest), cancellation).ConfigureAwait(false);
        return ImageDigest.Of(content) == descriptor.Digest ? content : throw Broken($"{descriptor.Digest} is not what its name says");
    }

    private static async Task<byte[]> RequiredAsync(ImageArchive archive, string member, CancellationToken cancellation) =>
        await archive.DocumentAsync(member, cancellation).ConfigureAwait(false) ?? throw Broken($"{member} is missing");

    private static string Member(ImageDigest digest) => $"blobs/sha256/{digest.Hex}";

    private static StacyVMException Broken(string detail) => new(ProblemKind.InvalidInput, $"the archive is no whole image: {detail}");
}
