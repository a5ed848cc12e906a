namespace StacyVM.Engine.Configuration;

/// <summary>The image store of the levels that are built here.</summary>
internal sealed record ImageOptions
{
    /// <summary>Docker's <c>config.json</c> with credentials of registries; empty for none.</summary>
    public string AuthFile { get; init; } = "";

    /// <summary>Registry to base addresses, separated by blanks, that are asked before it.</summary>
    public IReadOnlyDictionary<string, string> Mirrors { get; init; } = new Dictionary<string, string>();

    /// <summary>Registries that are spoken to without TLS.</summary>
    public IReadOnlyList<string> InsecureRegistries { get; init; } = [];

    /// <summary>Most bytes of one layer, and of one download.</summary>
    public long MaxBytes { get; init; } = 16L * 1024 * 1024 * 1024;

    /// <summary>Whether a spawn pulls what is not here.</summary>
    public bool Pull { get; init; } = true;
}
