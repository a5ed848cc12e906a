namespace StacyVM.Engine.Configuration;

/// <summary>An HTTP backend of the user's own, which makes the sandboxes.</summary>
internal sealed record CustomOptions
{
    public bool Enabled { get; init; }

    /// <summary>Name of the provider in the API and in <c>providers.default</c>.</summary>
    public string Name { get; init; } = "custom";

    public string BaseUrl { get; init; } = "";

    public string ApiKey { get; init; } = "";

    /// <summary>Of every call but commands, which have time limits of their own, and of each step of a transfer.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromSeconds(60);
}
