namespace StacyVM.Engine.Configuration;

/// <summary>What the loader found: the options, where each value comes from, and what is worth a warning.</summary>
internal sealed record LoadedConfiguration
{
    public required StacyOptions Options { get; init; }

    /// <summary>The file that was read, absolute; null when there is none.</summary>
    public required string? File { get; init; }

    /// <summary>Keys that were set, by name, as they were written: secrets too, never to be shown. A key that is not here has its default.</summary>
    public required IReadOnlyDictionary<string, ConfigurationValue> Written { get; init; }

    /// <summary>Where the keys that were set come from, by name.</summary>
    public IReadOnlyDictionary<string, ConfigurationOrigin> Origins => field ??= Written.ToDictionary(entry => entry.Key, entry => entry.Value.Origin);

    /// <summary>Unknown keys, and keys that this version does not use.</summary>
    public required IReadOnlyList<ConfigurationFault> Warnings { get; init; }

    /// <summary>Where the value of a key comes from.</summary>
    public ConfigurationOrigin OriginOf(ConfigurationKey key) => Origins.GetValueOrDefault(key.Name, ConfigurationOrigin.Default);

    /// <summary>Every used key with its value, secrets hidden, and every unused one that was set: what <c>config show</c> prints.</summary>
    public IEnumerable<(ConfigurationKey Key, string Value, ConfigurationOrigin Origin)> Show() =>
        from key in ConfigurationKeys.All
        where key.IsUsed || Origins.ContainsKey(key.Name)
        select (key, key.Show(Options), OriginOf(key));
}
