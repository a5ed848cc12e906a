using System.Text.Json.Serialization;

namespace StacyVM.Engine.Images.Oci;

/// <summary>
/// A manifest or an index, whichever came: a registry says which only by media type, and some leave that out. OCI image specification,
/// manifest.md and image-index.md; Docker's schema 2 and manifest list.
/// </summary>
internal sealed record OciManifest
{
    /// <summary>What is asked of a registry for.</summary>
    public const string Accept =
        "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, " +
        "application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.docker.distribution.manifest.v2+json";

    [JsonPropertyName("schemaVersion")]
    public int SchemaVersion { get; init; }

    [JsonPropertyName("mediaType")]
    public string? MediaType { get; init; }

    /// <summary>Of a manifest: its configuration.</summary>
    [JsonPropertyName("config")]
    public OciDescriptor? Config { get; init; }

    /// <summary>Of a manifest: its layers, lowest first.</summary>
    [JsonPropertyName("layers")]
    public List<OciDescriptor>? Layers { get; init; }

    /// <summary>Of an index: a manifest for each machine.</summary>
    [JsonPropertyName("manifests")]
    public List<OciDescriptor>? Manifests { get; init; }

    [JsonIgnore]
    public bool IsIndex => Manifests is not null;
}
