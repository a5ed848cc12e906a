namespace StacyVM.Engine.Configuration;

/// <summary>Where the server listens and whom it answers.</summary>
internal sealed record ServerOptions
{
    /// <summary>Listen address. Beyond loopback a key is needed.</summary>
    public string Host { get; init; } = "127.0.0.1";

    public int Port { get; init; } = 7423;

    /// <summary>Domain part of preview URLs.</summary>
    public string PreviewDomain { get; init; } = "localhost";

    /// <summary>
    /// What stands in preview URLs: below <c>localhost</c> this server itself answers, so its port belongs to the name; any other domain is the
    /// operator's and stands as written.
    /// </summary>
    public string PreviewAuthority => PreviewDomain == "localhost" && Port is not (0 or 80) ? $"localhost:{Port}" : PreviewDomain;

    /// <summary>Browser origins that may call the API; empty: none but the server's own.</summary>
    public IReadOnlyList<string> CorsAllowedOrigins { get; init; } = [];

    /// <summary>Host names, beside loopback, the listen address and the preview domain, under which the server answers.</summary>
    public IReadOnlyList<string> AllowedHosts { get; init; } = [];

    /// <summary>Addresses and networks of proxies whose forwarding headers are believed.</summary>
    public IReadOnlyList<string> TrustedProxies { get; init; } = [];

    /// <summary>Largest JSON body, in bytes.</summary>
    public long MaxJsonBytes { get; init; } = 64L * 1024 * 1024;

    /// <summary>Largest whole-output exec result per stream, in bytes; more is dropped and said.</summary>
    public long MaxExecOutputBytes { get; init; } = 256L * 1024 * 1024;
}
