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

    /// <summary>Callers see only sandboxes of their own; admins see all.</summary>
    public bool OwnerIsolation { get; init; }

    /// <summary>Zero: for ever.</summary>
    public TimeSpan AdminAuditRetention { get; init; }

    /// <summary>Wrong keys from one address; zero: no bound.</summary>
    public int MaxFailedLoginsPerMinute { get; init; } = 20;
}
