using System.Globalization;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using ZstdSharp;

namespace StacyVM.Tests.Images;

public enum Packing
{
    None,
    Gzip,
    Zstd,
}

/// <summary>Makes images as builders do: layers, a configuration, and around them an OCI layout or an archive of <c>docker save</c>.</summary>
internal sealed class ImageMaker(params (byte[] Tar, Packing Packing)[] layers)
{
    public string Architecture { get; init; } = "amd64";

    public string User { get; init; } = "";

    /// <summary>Instead of the true ones.</summary>
    public string? FalseDiff { get; init; }

    public byte[] Config => Encoding.UTF8.GetBytes(
        $$$"""{"architecture":"{{{Architecture}}}","os":"linux","created":"2030-01-02T03:04:05Z","config":{"User":"{{{User}}}","Env":["PATH=/bin","GREETING=hello there","broken"],"WorkingDir":"/srv","Entrypoint":["/bin/run"],"Cmd":["-x"]},"rootfs":{"type":"layers","diff_ids":[{{{string.Join(',', layers.Select(layer => $"\"{FalseDiff ?? Digest(layer.Tar)}\""))}}}]}}""");

    public IReadOnlyList<byte[]> Blobs => [.. layers.Select(layer => Pack(layer.Tar, layer.Packing))];

    public byte[] Manifest => Encoding.UTF8.GetBytes(
        $$$"""{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{{{Digest(Config)}}}","size":{{{Config.Length}}}},"layers":[{{{string.Join(',', layers.Zip(Blobs, (layer, blob) => $$"""{"mediaType":"application/vnd.oci.image.layer.v1.tar{{(layer.Packing == Packing.None ? "" : "+" + layer.Packing.ToString().ToLowerInvariant())}}","digest":"{{Digest(blob)}}","size":{{blob.Length}}}"""))}}}]}""");

    /// <summary>As a directory, for programs that push it.</summary>
    public void WriteLayout(string directory)
    {
        string blobs = Directory.CreateDirectory(Path.Combine(directory, "blobs/sha256")).FullName;
        foreach (byte[] blob in (IEnumerable<byte[]>)[Config, Manifest, .. Blobs])
            File.WriteAllBytes(Path.Combine(blobs, Digest(blob)[7..]), blob);
        File.WriteAllText(Path.Combine(directory, "oci-layout"), """{"imageLayoutVersion":"1.0.0"}""");
        File.WriteAllBytes(Path.Combine(directory, "index.json"), Index(null));
    }

    public byte[] LayoutArchive(string? name) => TarBuilder.Of(tar =>
    {
        tar.File("oci-layout", """{"imageLayoutVersion":"1.0.0"}""");
        foreach (byte[] blob in (IEnumerable<byte[]>)[Config, Manifest, .. Blobs])
            tar.Entry('0', $"blobs/sha256/{Digest(blob)[7..]}", "", blob, 0x1A4);
        tar.Entry('0', "index.json", "", Index(name), 0x1A4);
    });

    public byte[] DockerArchive(params string[] names) => TarBuilder.Of(tar =>
    {
        for (int i = 0; i < layers.Length; i++)
            tar.Entry('0', string.Create(CultureInfo.InvariantCulture, $"{i}/layer.tar"), "", layers[i].Tar, 0x1A4);
        tar.Entry('0', "config.json", "", Config, 0x1A4);
        string list = $$"""[{"Config":"config.json","RepoTags":[{{string.Join(',', names.Select(name => $"\"{name}\""))}}],"Layers":[{{string.Join(',', Enumerable.Range(0, layers.Length).Select(i => $"\"{i}/layer.tar\""))}}]}]""";
        tar.File("manifest.json", list);
    });

    public static byte[] Pack(byte[] tar, Packing packing)
    {
        switch (packing)
        {
            case Packing.Gzip:
                using (var packed = new MemoryStream())
                {
                    using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
                        gzip.Write(tar);
                    return packed.ToArray();
                }
            case Packing.Zstd:
                using (var compressor = new Compressor())
                    return compressor.Wrap(tar).ToArray();
            default:
                return tar;
        }
    }

    public static string Digest(byte[] content) => "sha256:" + Convert.ToHexStringLower(SHA256.HashData(content));

    private byte[] Index(string? name)
    {
        string annotations = name is null ? "" : $$""","annotations":{"io.containerd.image.name":"{{name}}"}""";
        return Encoding.UTF8.GetBytes($$"""{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"{{Digest(Manifest)}}","size":{{Manifest.Length}}{{annotations}}}]}""");
    }
}
