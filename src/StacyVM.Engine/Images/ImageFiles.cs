using System.Security.Cryptography;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Images;

/// <summary>
/// Where things of the image store lie below the data directory:
/// <c>images/layers/&lt;digest&gt;/</c> unpacked layers, <c>images/blobs/&lt;digest&gt;</c> documents, <c>images/disks/&lt;digest&gt;</c> images as disks of machines, <c>images/drafts/</c> what is not finished,
/// <c>images/catalog.json</c> what is called what.
/// </summary>
internal sealed class ImageFiles
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    public ImageFiles(string dataDirectory)
    {
        Root = Path.Combine(dataDirectory, "images");
        // Closed to everyone else: files inside keep the modes of the image, also where it lets the world write.
        foreach (string directory in (IEnumerable<string>)[Root, Layers, Blobs, Disks, Drafts])
            Directory.CreateDirectory(directory, OwnerOnly);
        File.SetUnixFileMode(Root, OwnerOnly);
    }

    public string Root { get; }

    public string Layers => Path.Combine(Root, "layers");

    public string Blobs => Path.Combine(Root, "blobs");

    public string Disks => Path.Combine(Root, "disks");

    public string Drafts => Path.Combine(Root, "drafts");

    public string Catalog => Path.Combine(Root, "catalog.json");

    /// <summary>An unpacked layer. It is there whole or not at all.</summary>
    public string Layer(ImageDigest diff) => Path.Combine(Layers, diff.Hex);

    /// <summary>A configuration.</summary>
    public string Blob(ImageDigest digest) => Path.Combine(Blobs, digest.Hex);

    /// <summary>An image as a disk of machines.</summary>
    public string Disk(ImageDigest image) => Path.Combine(Disks, image.Hex);

    /// <summary>What has been loaded of a compressed layer: kept when a pull breaks off, so that the next one goes on from there.</summary>
    public string Download(ImageDigest digest) => Path.Combine(Drafts, "download-" + digest.Hex);

    /// <summary>A new name for something that is being made.</summary>
    public string NewDraft() => Path.Combine(Drafts, "draft-" + RandomNumberGenerator.GetHexString(16, lowercase: true));

    /// <summary>Removes what a killed server left half made. Downloads stay.</summary>
    public void RemoveDrafts()
    {
        foreach (string draft in Directory.EnumerateFileSystemEntries(Drafts, "draft-*"))
        {
            if (Directory.Exists(draft))
                TreeRemoval.Remove(draft);
            else
                File.Delete(draft);
        }
    }

    /// <summary>Writes a file whole: beside it first, then by one rename.</summary>
    public void WriteWhole(string path, ReadOnlySpan<byte> content)
    {
        string draft = NewDraft();
        using (var file = new FileStream(draft, FileMode.CreateNew, FileAccess.Write, FileShare.None, 0))
        {
            file.Write(content);
            file.Flush(flushToDisk: true);
        }
        File.Move(draft, path, overwrite: true);
    }
}
