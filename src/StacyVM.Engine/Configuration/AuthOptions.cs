namespace StacyVM.Engine.Configuration;

/// <summary>Who may call the API.</summary>
internal sealed record AuthOptions
{
    /// <summary>The explicit way out: everything open, without a key, also beyond loopback.</summary>
    public bool AllowAnonymous { get; init; }

    public string ApiKey { get; init; } = "";

    public string AdminApiKey { get; init; } = "";

    public bool AdminFallbackEnabled { get; init; } = true;

    /// <summary>Opens <c>/metrics</c> and <c>/metrics/prometheus</c> and nothing else; empty: there is none.</summary>
    public string MetricsToken { get; init; } = "";
}
