namespace StacyVM.Engine.Configuration;

/// <summary>Builds of custom images.</summary>
internal sealed record EnvironmentsOptions
{
    /// <summary>Longest time of one build with its pushes.</summary>
    public TimeSpan BuildTimeout { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>ghcr or dockerhub → the host that stands in for it.</summary>
    public IReadOnlyDictionary<string, string> Registries { get; init; } = new Dictionary<string, string>();
}
