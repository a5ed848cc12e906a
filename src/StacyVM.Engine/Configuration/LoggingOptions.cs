namespace StacyVM.Engine.Configuration;

/// <summary>What the server writes to its standard error stream.</summary>
internal sealed record LoggingOptions
{
    /// <summary>trace, debug, info, warn, error, fatal, disabled.</summary>
    public string Level { get; init; } = "info";

    /// <summary>json or pretty.</summary>
    public string Format { get; init; } = "json";

    /// <summary>A row in the database for each operation on a sandbox.</summary>
    public bool Audit { get; init; } = true;

    /// <summary>The output of commands, in the database.</summary>
    public bool ExecOutput { get; init; }

    /// <summary>Bytes kept of each stream of a command.</summary>
    public long ExecOutputBytes { get; init; } = 64 * 1024;
}
