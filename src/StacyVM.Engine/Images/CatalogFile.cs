using System.Text.Json.Serialization;

namespace StacyVM.Engine.Images;

/// <summary><c>catalog.json</c>: which images are here and what they are called.</summary>
internal sealed record CatalogFile
{
    public const int CurrentVersion = 1;

    [JsonPropertyName("version")]
    public int Version { get; init; } = CurrentVersion;

    /// <summary>By the digest of their configuration.</summary>
    [JsonPropertyName("images")]
    public Dictionary<string, CatalogImage> Images { get; init; } = [];

    /// <summary>Canonical name to digest.</summary>
    [JsonPropertyName("names")]
    public Dictionary<string, string> Names { get; init; } = [];
}

/// <summary>What the configuration itself does not say.</summary>
internal sealed record CatalogImage
{
    [JsonPropertyName("bytes")]
    public long Bytes { get; init; }

    /// <summary>UTC.</summary>
    [JsonPropertyName("stored_at")]
    public DateTime StoredAt { get; init; }
}
