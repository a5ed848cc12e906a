using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Templates;

namespace StacyVM.Engine.Sandboxes;

/// <summary>A spawn request after validation, with every default applied.</summary>
/// <param name="Spec">For the provider.</param>
/// <param name="Ttl">Life, counted from the moment it runs.</param>
/// <param name="Owner">Empty for none.</param>
/// <param name="Tenant">Empty for none.</param>
/// <param name="Preparation">What is done in it before it runs; null for nothing.</param>
/// <param name="Origin">The checkpoint that it begins with; null for an image.</param>
internal sealed record SpawnPlan(
    SandboxSpec Spec, TimeSpan Ttl, string Owner, string Tenant, Preparation? Preparation = null, SpawnOrigin? Origin = null);
