using System.Globalization;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol;

namespace StacyVM.Engine.Checks;

/// <summary>The configuration as rules read it: by the names of keys, so that a rule begins to count when its key comes into use.</summary>
internal sealed class ConfiguredValues(LoadedConfiguration loaded)
{
    public LoadedConfiguration Loaded { get; } = loaded;

    public StacyOptions Options => Loaded.Options;

    public static bool IsUsed(string key) => ConfigurationKeys.Find(key) is { IsUsed: true };

    /// <summary>Somebody wrote it, in the file, a variable or a flag.</summary>
    public bool IsSet(string key) => Loaded.Written.ContainsKey(key);

    public bool IsFromFile(string secret) => Loaded.Written.TryGetValue(secret, out ConfigurationValue? value) && value.IsFromFile;

    /// <summary>A path that somebody wrote without saying where it begins.</summary>
    public bool IsRelative(string path) =>
        Loaded.Written.TryGetValue(path, out ConfigurationValue? value) && value.Text?.Trim() is { Length: > 0 } text && text[0] is not ('/' or '~');

    public string Text(string key) => ConfigurationKeys.Find(key)?.Read(Options) ?? "";

    public bool Flag(string key) => Text(key) == "true";

    public long Number(string key) => long.TryParse(Text(key), CultureInfo.InvariantCulture, out long number) ? number : 0;

    public TimeSpan Duration(string key) => GoDuration.TryParse(Text(key), out TimeSpan duration) ? duration : TimeSpan.Zero;

    public string[] List(string key) => Text(key).Trim('[', ']').Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
}
