namespace StacyVM.Engine.Configuration;

/// <summary>Where the server listens and whom it answers.</summary>
internal sealed record ServerOptions
{
    /// <summary>Listen address. Beyond loopback a key is needed.</summary>
    public string Host { get; init; } = "127.0.0.1";

    public int Port { get; init; } = 7423;

    /// <summary>Domain part of preview URLs.</summary>
    public string PreviewDomain { get; init; } = "localhost";

    /// <summary>Browser origins that may call the API; empty: none but the server's own.</summary>
    public IReadOnlyList<string> CorsAllowedOrigins { get; init; } = [];

    /// <summary>Host names, beside loopback, the listen address and the preview domain, under which the server answers.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Largest JSON body, in bytes.</summary>
    public long MaxJsonBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Largest whole-output exec result per stream, in bytes; more is dropped and said.</summary>
    public long MaxExecOutputBytes { get; init; } = 256L * 1024 * 1024;
}
