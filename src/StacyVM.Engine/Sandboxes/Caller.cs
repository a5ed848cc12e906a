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
}
