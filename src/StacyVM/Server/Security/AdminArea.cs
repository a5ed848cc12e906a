namespace StacyVM.Server.Security;

/// <summary>The routes of administrators, below <c>/admin</c>. Each of them is audited, whatever comes of it.</summary>
internal static class AdminArea
{
    /// <summary>
    /// A group whose routes all need <c>admin:*</c>, whatever they ask for themselves: routes that exist outside, too, are mapped into it by the same
    /// code and cannot stay open by mistake.
    /// </summary>
    public static RouteGroupBuilder MapAdminArea(this IEndpointRouteBuilder api)
    {
        RouteGroupBuilder admin = api.MapGroup("/admin");
        // The last metadata counts, and these conventions run after the routes' own.
        ((IEndpointConventionBuilder)admin).Finally(static route => route.Metadata.Add(new RouteAccess(Scopes.Admin)));
        return admin;
    }
}
