namespace StacyVM.Engine.Configuration;

/// <summary>A value as it was written, not yet of any type: a text, a list of texts, or a map of texts.</summary>
internal sealed record ConfigurationValue(ConfigurationOrigin Origin)
{
    public string? Text { get; init; }

    public IReadOnlyList<string>? Items { get; init; }

    public IReadOnlyDictionary<string, string>? Entries { get; init; }

    /// <summary>A secret that was read from the file its <c>_file</c> key names.</summary>
    public bool IsFromFile { get; init; }

    /// <summary>As it stands in a message about it.</summary>
    public override string ToString() =>
        Text is not null ? $"'{Text}'"
        : Items is not null ? $"[{string.Join(", ", Items)}]"
        : "a map";
}
