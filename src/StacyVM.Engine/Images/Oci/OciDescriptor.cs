using System.Text.Json.Serialization;

namespace StacyVM.Engine.Images.Oci;

/// <summary>Names some content by its digest. OCI image specification, descriptor.md; Docker's schema 2 has the same fields.</summary>
internal sealed record OciDescriptor
{
    [JsonPropertyName("mediaType")]
    public string MediaType { get; init; } = "";

    [JsonPropertyName("digest")]
    public required ImageDigest Digest { get; init; }

    [JsonPropertyName("size")]
    public long Size { get; init; }

    [JsonPropertyName("platform")]
    public OciPlatform? Platform { get; init; }

    [JsonPropertyName("annotations")]
    public Dictionary<string, string>? Annotations { get; init; }
}

/// <summary>What machine an image is for.</summary>
internal sealed record OciPlatform
{
    [JsonPropertyName("os")]
    public string Os { get; init; } = "";

    [JsonPropertyName("architecture")]
    public string Architecture { get; init; } = "";

    [JsonPropertyName("variant")]
    public string? Variant { get; init; }
}
