using StacyVM.Engine.Configuration;

namespace StacyVM.Cli.Operations;

/// <summary>One line of <c>config show</c>.</summary>
/// <param name="Key">Dotted.</param>
/// <param name="Value">As the file would have it; secrets only as set or not.</param>
/// <param name="Layer"><c>default</c>, <c>file</c>, <c>environment</c> or <c>flag</c>.</param>
/// <param name="Origin">The file with its line, the variable, or the flag.</param>
internal sealed record ShownValue(string Key, string Value, string Layer, string? Origin)
{
    public static IEnumerable<ShownValue> Of(LoadedConfiguration loaded) =>
        from row in loaded.Show()
        let layer = row.Origin.Layer.ToString().ToLowerInvariant()
        select new ShownValue(row.Key.Name, TextScrubber.WithoutCredentials(row.Value), layer, row.Origin.Place.Length == 0 ? null : row.Origin.Place);
}
