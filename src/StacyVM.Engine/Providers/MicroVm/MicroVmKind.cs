using StacyVM.Engine.Agents;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>One way to run machines, as a provider of its own.</summary>
/// <param name="Name">Of the provider.</param>
/// <param name="PublicSettings">Settings that may be shown to any reader; <c>type</c> first.</param>
/// <param name="PrepareAsync">Finds out what is here; throws what <see cref="ISandboxProvider.ProbeAsync"/> tells.</param>
internal sealed record MicroVmKind(string Name, IReadOnlyDictionary<string, string> PublicSettings, Func<AgentHost, CancellationToken, Task<MachineSetup>> PrepareAsync);
