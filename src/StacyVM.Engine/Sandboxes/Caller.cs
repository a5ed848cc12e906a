namespace StacyVM.Engine.Sandboxes;

/// <summary>Who asks, decided at the edge before anything runs.</summary>
/// <param name="Role">viewer, api, operator, tenant_admin, admin or anonymous.</param>
/// <param name="Owner">Owner identity for new sandboxes and quotas; null when there is none.</param>
/// <param name="Tenant">Null: not restricted to one.</param>
/// <param name="Actor">For audit.</param>
internal sealed record Caller(string Role, string? Owner, string? Tenant, string Actor)
{
    /// <summary>The server itself.</summary>
    public static readonly Caller System = new("admin", null, null, "system");

    /// <summary>Restricted to what its owner has; without an owner, to what nobody has.</summary>
    public bool IsIsolated { get; init; }

    /// <summary>Whether a thing exists for this caller.</summary>
    /// <param name="owner">Empty for a thing without an owner; null for what is nobody's affair but an unrestricted caller's.</param>
    /// <param name="tenant">Empty or null for none.</param>
    public bool Sees(string? owner, string? tenant) =>
        (Tenant is null || string.Equals(Tenant, tenant, StringComparison.Ordinal))
        && (!IsIsolated || string.Equals(Owner ?? "", owner, StringComparison.Ordinal));
}
