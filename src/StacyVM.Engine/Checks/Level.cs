using StacyVM.Engine.Providers;

namespace StacyVM.Engine.Checks;

/// <summary>One isolation level, tried.</summary>
/// <param name="Name">As in the configuration.</param>
/// <param name="Health">What the try said.</param>
/// <param name="Took">How long it took.</param>
internal sealed record Level(string Name, ProviderHealth Health, TimeSpan Took);
