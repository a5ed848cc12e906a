using System.Text.Json.Nodes;
using StacyVM.Engine.Configuration;

namespace StacyVM.Cli.Operations;

/// <summary>The part of a configuration that may leave the machine: values that cannot be secrets, and texts that are listed here.</summary>
internal static class ConfigurationExtract
{
    private const string LeftOut = "[TEXT LEFT OUT]";

    /// <summary>Types whose values are numbers, switches or words of a closed set.</summary>
    private static readonly HashSet<string> ClosedTypes = ["bool", "int", "duration", "size", "enum", "address"];

    /// <summary>Free texts that are shown, scrubbed.</summary>
    private static readonly HashSet<string> Texts =
    [
        "data_dir", "providers.default", "database.path", "server.preview_domain", "defaults.image", "providers.bubblewrap.bwrap_path", "providers.docker.runtime", "providers.docker.default_image",
        "providers.docker.network_mode", "providers.docker.seccomp_profile", "providers.docker.dropped_caps", "providers.docker.added_caps", "providers.docker.user",
    ];

    public static JsonObject Of(LoadedConfiguration loaded, TextScrubber scrubber)
    {
        var shown = new JsonObject();
        foreach ((ConfigurationKey key, string value, ConfigurationOrigin origin) in loaded.Show())
            shown[key.Name] = new JsonObject { ["value"] = Shown(key, value, origin, scrubber), ["layer"] = origin.Layer.ToString().ToLowerInvariant() };
        return shown;
    }

    private static string Shown(ConfigurationKey key, string value, ConfigurationOrigin origin, TextScrubber scrubber) => key switch
    {
        { IsUsed: false } => "not used by this version",
        { IsSecret: true } => value.Length == 0 ? "" : TextScrubber.Redacted,
        // Also where nobody set it: some follow from another key.
        _ when Texts.Contains(key.Name) => scrubber.Scrub(value),
        _ when ClosedTypes.Contains(key.Type) || origin.Layer == ConfigurationLayer.Default => value,
        _ => LeftOut,
    };
}
