namespace StacyVM.Engine.Configuration;

/// <summary>Secrets of templates.</summary>
internal sealed record SecretsOptions
{
    /// <summary>Variables of the server's own environment that a template's secret may stand for. Empty: none, so that no client reads the server's environment.</summary>
    public IReadOnlyList<string> AllowedEnv { get; init; } = [];
}
