namespace StacyVM.Engine.Configuration;

/// <summary>Where records are kept.</summary>
internal sealed record DatabaseOptions
{
    public string Driver { get; init; } = "sqlite";

    /// <summary>Default: <c>stacyvm.db</c> in the data directory.</summary>
    public string Path { get; init; } = "";
}
