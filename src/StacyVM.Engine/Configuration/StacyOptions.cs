namespace StacyVM.Engine.Configuration;

/// <summary>The whole configuration: immutable, validated before anything is built. Keys and defaults are those of the reference.</summary>
internal sealed record StacyOptions
{
    /// <summary>Everything that the server keeps beside the database: sandboxes, agent binary, generated key.</summary>
    public required string DataDir { get; init; }

    public ServerOptions Server { get; init; } = new();

    public AuthOptions Auth { get; init; } = new();

    public RateLimitOptions RateLimit { get; init; } = new();

    public DatabaseOptions Database { get; init; } = new();

    public DefaultsOptions Defaults { get; init; } = new();

    public LoggingOptions Logging { get; init; } = new();

    public ImageOptions Images { get; init; } = new();

    public ProvidersOptions Providers { get; init; } = new();

    public SecretsOptions Secrets { get; init; } = new();

    public EnvironmentsOptions Environments { get; init; } = new();
}
