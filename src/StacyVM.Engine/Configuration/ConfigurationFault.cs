namespace StacyVM.Engine.Configuration;

/// <summary>One thing that is wrong, or odd, in the configuration.</summary>
/// <param name="Key">The dotted key; for a fault of a whole file, its path.</param>
/// <param name="Place">Where it was set; empty when that is the default or the key is the place.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Remedy">What to do.</param>
internal sealed record ConfigurationFault(string Key, string Place, string What, string Remedy)
{
    public override string ToString() => Place.Length == 0 ? $"{Key}: {What}; {Remedy}" : $"{Key} ({Place}): {What}; {Remedy}";
}
