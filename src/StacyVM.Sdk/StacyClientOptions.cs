namespace StacyVM.Sdk;

/// <summary>How a <see cref="StacyClient"/> reaches its server and who it is there. All values are read once, when the client is made.</summary>
public sealed record StacyClientOptions
{
    /// <summary>Address of a server that was started without settings.</summary>
    public const string DefaultBaseUrl = "http://localhost:7423";

    /// <summary>
    /// <c>http://host:port</c>, <c>https://…</c>, or <c>unix:///path/of/socket</c>. Slashes at the end do not matter. Default <see cref="DefaultBaseUrl"/>.
    /// </summary>
    public string BaseUrl { get; init; } = DefaultBaseUrl;

    /// <summary>Sent as <c>X-API-Key</c>.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Sent as <c>X-Admin-API-Key</c>.</summary>
    public string? AdminApiKey { get; init; }

    /// <summary>Sent as <c>X-User-ID</c>: the owner of what this client spawns.</summary>
    public string? UserId { get; init; }

    /// <summary>Sent as <c>X-Tenant-ID</c>.</summary>
    public string? TenantId { get; init; }

    /// <summary>Sent as <c>Authorization: Bearer</c>.</summary>
    public string? BearerToken { get; init; }

    /// <summary>Longest time for a connection to be made. Default 10 s.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Longest time from a short request to the first byte of its answer. Default 100 s. It does not hold for spawns (an image may have to be
    /// pulled) and commands (they have a timeout of their own): those wait until they are cancelled.
    /// </summary>
    public TimeSpan ResponseTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>
    /// Longest silence in the middle of a file transfer. Default 100 s. Streams of commands and events may be silent for as long as
    /// they like; there a dead peer is found by the connection's own keep-alive. Nothing has a limit on its whole duration.
    /// </summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromSeconds(100);

    /// <summary>How many times a read that failed to connect, or was answered 429 or 503, is tried again. Default 0: never.</summary>
    public int Retries { get; init; }
}
