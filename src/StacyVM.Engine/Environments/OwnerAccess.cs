using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Environments;

/// <summary>Whose specs, builds and accounts a caller may see and make.</summary>
internal static class OwnerAccess
{
    /// <summary>The owner of a new thing. Where owners are kept apart, nobody makes one in another's name.</summary>
    /// <exception cref="StacyVMException">InvalidInput, Forbidden.</exception>
    public static string OwnerOf(string? wished, Caller caller)
    {
        string owner = OwnerName.Required(wished);
        return IsOpen(owner, caller) ? owner : throw new StacyVMException(ProblemKind.Forbidden, $"owner_id must be the caller's own, who names itself by X-User-ID, as auth.owner_isolation is on");
    }

    /// <summary>These things are no tenant's: only the owner counts.</summary>
    public static bool IsOpen(string owner, Caller caller) => caller.Sees(owner, caller.Tenant);
}
