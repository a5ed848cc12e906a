using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Images;

/// <summary>What an image says about how its programs run: the environment, where they start, whose home is where.</summary>
internal sealed class ImageSurroundings(StoredImage image, ImageFileReader files, ImageUser user)
{
    public const string Shell = "/bin/sh";

    /// <summary>Where commands start when the image does not say.</summary>
    public const string Workspace = "/workspace";

    /// <summary>The image's variables over those that every sandbox has.</summary>
    public IEnumerable<KeyValuePair<string, string>> Environment
    {
        get
        {
            yield return new("HOME", Home);
            yield return new("USER", user.Name);
            yield return new("LOGNAME", user.Name);
            yield return new("SHELL", Shell);
            foreach (KeyValuePair<string, string> variable in image.Config.Environment)
            {
                // The agent's own are not the image's to set.
                if (!variable.Key.StartsWith(AgentProtocol.VariablePrefix, StringComparison.Ordinal))
                    yield return variable;
            }
        }
    }

    /// <summary>Where commands start: the image's working directory, or the workspace where it has none.</summary>
    public string WorkingDirectory { get; } = Normal(image.Config.WorkingDirectory) ?? Workspace;

    public string Home => user.Home is { } home && files.HasDirectory(home[1..]) ? home : Workspace;

    private static string? Normal(string path)
    {
        if (!path.StartsWith('/') || path.Contains('\0') || path.Length > 1024)
            return null;
        string[] parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries);
        return parts.Length == 0 || parts.Any(part => part is "." or "..") ? null : "/" + string.Join('/', parts);
    }
}
