namespace StacyVM.Engine.Configuration;

/// <summary>Where records are kept.</summary>
internal sealed record DatabaseOptions
{
    public string Driver { get; init; } = "sqlite";

    /// <summary>Default: <c>stacyvm.db</c> in the data directory.</summary>
    public string Path { get; init; } = "";

    /// <summary>How long what has ended is kept; zero: for ever.</summary>
    public TimeSpan Retention { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Rows kept of each kind, whatever their age.</summary>
    public int MaxRows { get; init; } = 200_000;
}
