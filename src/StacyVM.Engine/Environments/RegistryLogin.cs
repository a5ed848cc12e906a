namespace StacyVM.Engine.Environments;

/// <summary>What a push needs. It lives as long as the push and is never written anywhere.</summary>
internal sealed class RegistryLogin(string host, string server, string username, string secret)
{
    /// <summary>As it stands in image names.</summary>
    public string Host => host;

    /// <summary>As the engine wants to have it.</summary>
    public string Server => server;

    public string Username => username;

    public string Secret => secret;

    /// <summary>A registry's words without the secret, should it repeat it.</summary>
    public string Hide(string text) => text.Replace(secret, "***", StringComparison.Ordinal);

    public override string ToString() => $"{username} at {host}";
}
