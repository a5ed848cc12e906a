namespace StacyVM.Engine.Configuration;

/// <summary>Where a value comes from, weakest first.</summary>
internal enum ConfigurationLayer
{
    Default,
    File,
    Environment,
    Flag,
}

/// <summary>Where one value comes from, precise enough to go there and change it.</summary>
/// <param name="Layer">Which layer won.</param>
/// <param name="Place">The file with its line, the variable, or the flag; empty for a default.</param>
internal sealed record ConfigurationOrigin(ConfigurationLayer Layer, string Place)
{
    public static readonly ConfigurationOrigin Default = new(ConfigurationLayer.Default, "");

    public static ConfigurationOrigin File(string path, long line) => new(ConfigurationLayer.File, $"{path}:{line}");

    public static ConfigurationOrigin Environment(string variable) => new(ConfigurationLayer.Environment, variable);

    public static ConfigurationOrigin Flag(string key) => new(ConfigurationLayer.Flag, $"flag {key}");

    public override string ToString() => Layer == ConfigurationLayer.Default ? "default" : Place;
}
