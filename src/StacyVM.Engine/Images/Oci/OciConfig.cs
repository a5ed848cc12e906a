using System.Text.Json.Serialization;

namespace StacyVM.Engine.Images.Oci;

/// <summary>Configuration of an image. OCI image specification, config.md.</summary>
internal sealed record OciConfig
{
    [JsonPropertyName("architecture")]
    public string Architecture { get; init; } = "";

    [JsonPropertyName("os")]
    public string Os { get; init; } = "";

    [JsonPropertyName("created")]
    public DateTimeOffset? Created { get; init; }

    [JsonPropertyName("config")]
    public OciRunConfig? Config { get; init; }

    [JsonPropertyName("rootfs")]
    public OciRootFileSystem? RootFs { get; init; }
}

/// <summary>How a program is started from it.</summary>
internal sealed record OciRunConfig
{
    [JsonPropertyName("User")]
    public string? User { get; init; }

    [JsonPropertyName("Env")]
    public List<string>? Env { get; init; }

    [JsonPropertyName("Entrypoint")]
    public List<string>? Entrypoint { get; init; }

    [JsonPropertyName("Cmd")]
    public List<string>? Cmd { get; init; }

    [JsonPropertyName("WorkingDir")]
    public string? WorkingDir { get; init; }
}

/// <summary>Digests of its layers without compression, lowest first.</summary>
internal sealed record OciRootFileSystem
{
    [JsonPropertyName("type")]
    public string Type { get; init; } = "layers";

    [JsonPropertyName("diff_ids")]
    public List<ImageDigest> DiffIds { get; init; } = [];
}
