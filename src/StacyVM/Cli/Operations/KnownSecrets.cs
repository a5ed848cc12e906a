using StacyVM.Engine.Configuration;
using StacyVM.Engine.Secrets;
using StacyVM.Server.Security;

namespace StacyVM.Cli.Operations;

/// <summary>Every text on this machine that is known to be a secret of the server or of its operator.</summary>
internal static class KnownSecrets
{
    private static readonly string[] Words = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL", "DSN", "AUTHORIZATION"];

    /// <param name="sources">Variables and flags.</param>
    /// <param name="loaded">Null when it does not load.</param>
    /// <param name="further">Keys of the command line.</param>
    public static IEnumerable<string> Of(ConfigurationSources sources, LoadedConfiguration? loaded, params IEnumerable<string?> further)
    {
        foreach ((string name, string value) in sources.Environment)
        {
            // The name of a file is none.
            if (Words.Any(word => name.Contains(word, StringComparison.OrdinalIgnoreCase)) && !name.EndsWith("_FILE", StringComparison.OrdinalIgnoreCase))
                yield return value;
        }
        foreach (string? one in further)
        {
            if (!string.IsNullOrWhiteSpace(one))
                yield return one.Trim();
        }
        if (loaded is null)
            yield break;
        foreach ((string name, ConfigurationValue value) in loaded.Written)
        {
            if (ConfigurationKeys.Find(name) is not { IsSecret: true })
                continue;
            foreach (string? text in (IEnumerable<string?>)[value.Text, .. value.Items ?? [], .. value.Entries?.Values ?? []])
            {
                if (text is not null)
                    yield return text;
            }
        }
        foreach (string file in (string[])[ApiKeyFile.PathIn(loaded.Options.DataDir), Path.Combine(loaded.Options.DataDir, SecretKeyFile.Name)])
        {
            if (Content(file) is { } secret)
                yield return secret;
        }
    }

    private static string? Content(string file)
    {
        try
        {
            return File.ReadAllText(file).Trim();
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
