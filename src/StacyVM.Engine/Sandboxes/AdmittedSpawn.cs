using StacyVM.Engine.Providers;

namespace StacyVM.Engine.Sandboxes;

/// <summary>A spawn that may be made: what, where, and the place it has.</summary>
internal sealed record AdmittedSpawn(SpawnPlan Plan, ISandboxProvider Provider, CapacityReservation Place);
