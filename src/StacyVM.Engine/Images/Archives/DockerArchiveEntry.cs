using System.Text.Json.Serialization;

namespace StacyVM.Engine.Images.Archives;

/// <summary>An image in the <c>manifest.json</c> of <c>docker save</c>.</summary>
internal sealed record DockerArchiveEntry
{
    /// <summary>Member with its configuration.</summary>
    [JsonPropertyName("Config")]
    public required string Config { get; init; }

    [JsonPropertyName("RepoTags")]
    public List<string>? RepoTags { get; init; }

    /// <summary>Members with its layers, lowest first.</summary>
    [JsonPropertyName("Layers")]
    public required List<string> Layers { get; init; }
}
