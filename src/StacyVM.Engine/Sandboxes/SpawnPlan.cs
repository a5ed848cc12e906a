using StacyVM.Engine.Providers;

namespace StacyVM.Engine.Sandboxes;

/// <summary>A spawn request after validation, with every default applied.</summary>
internal sealed record SpawnPlan(SandboxSpec Spec, TimeSpan Ttl, string Owner, string Tenant);
