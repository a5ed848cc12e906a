namespace StacyVM.Engine.Configuration;

/// <summary>What the server writes to its standard error stream.</summary>
internal sealed record LoggingOptions
{
    /// <summary>trace, debug, info, warn, error, fatal, disabled.</summary>
    public string Level { get; init; } = "info";

    /// <summary>json or pretty.</summary>
    public string Format { get; init; } = "json";
}
