namespace StacyVM.Server.Security;

/// <summary>Who may call a route: metadata that every route carries and one middleware reads. A route without it is refused.</summary>
/// <param name="Scope">The scope it needs; null: open to everyone, with less to see for strangers.</param>
/// <param name="TakesTicket">Clients that cannot set headers may present a ticket in the query.</param>
internal sealed record RouteAccess(string? Scope, bool TakesTicket = false);

internal static class RouteAccessExtensions
{
    public static TBuilder RequireScope<TBuilder>(this TBuilder route, string scope)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(scope));

    /// <summary>For WebSockets and event streams of browsers.</summary>
    public static TBuilder RequireScopeOrTicket<TBuilder>(this TBuilder route, string scope)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(scope, TakesTicket: true));

    public static TBuilder OpenToAll<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(null));
}
