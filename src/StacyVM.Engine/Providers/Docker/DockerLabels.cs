using System.Text.Json;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// The labels by which containers are found again. Only those with our installation's id are ours: another server on the same daemon
/// carries the same other labels.
/// </summary>
internal static class DockerLabels
{
    public const string Ours = "stacyvm";
    public const string Provider = "stacyvm.provider";
    public const string Sandbox = "stacyvm.sandbox";
    public const string Image = "stacyvm.image";
    public const string Metadata = "stacyvm.metadata";
    public const string Installation = "stacyvm.installation";

    /// <summary>How the agent is reached, see <see cref="AgentRoute"/>.</summary>
    public const string Route = "stacyvm.route";

    /// <summary>
    /// <c>true</c> on a container that only tries whether the level works; never listed. Always written, as all of these are: a container
    /// inherits the labels of its image.
    /// </summary>
    public const string Probe = "stacyvm.probe";

    public static Dictionary<string, string> For(string id, string image, SandboxSpec spec, string installation, AgentRoute route)
    {
        return new Dictionary<string, string>
        {
            [Ours] = "true",
            [Provider] = DockerProvider.ProviderName,
            [Sandbox] = id,
            [Image] = image,
            [Installation] = installation,
            [Route] = route.ToString(),
            [Probe] = "false",
            [Metadata] = JsonSerializer.Serialize(new Dictionary<string, string>(spec.Metadata), DockerJson.Default.DictionaryStringString),
        };
    }

    /// <summary>Filter for everything of one installation, or for one sandbox of it.</summary>
    public static Dictionary<string, IDictionary<string, bool>> Filter(string installation, string? id = null)
    {
        var labels = new Dictionary<string, bool>
        {
            [$"{Ours}=true"] = true,
            [$"{Provider}={DockerProvider.ProviderName}"] = true,
            [$"{Installation}={installation}"] = true,
        };
        if (id is not null)
            labels[$"{Sandbox}={id}"] = true;
        return new Dictionary<string, IDictionary<string, bool>> { ["label"] = labels };
    }
}
