using StacyVM.Engine.Sandboxes;

namespace StacyVM.Server.Security;

/// <summary>Who may call a route: metadata that every route carries and one middleware reads. A route without it is refused.</summary>
/// <param name="Scope">The scope it needs; null: open to everyone, with less to see for strangers.</param>
/// <param name="TakesTicket">Clients that cannot set headers may present a ticket in the query.</param>
/// <param name="OwnerScope">The scope that is enough for the owner whom the path names as <c>{owner}</c>; null: owners are no exception.</param>
/// <param name="TakesScrapeToken">The token that monitoring has for metrics alone opens it.</param>
internal sealed record RouteAccess(string? Scope, bool TakesTicket = false, string? OwnerScope = null, bool TakesScrapeToken = false)
{
    /// <summary>The scope that this caller needs.</summary>
    public string? ScopeFor(Caller caller, RouteValueDictionary path) =>
        OwnerScope is not null && caller.Owner is { } owner && owner == (string?)path["owner"] ? OwnerScope : Scope;
}

internal static class RouteAccessExtensions
{
    public static TBuilder RequireScope<TBuilder>(this TBuilder route, string scope)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(scope));

    /// <summary>For WebSockets and event streams of browsers.</summary>
    public static TBuilder RequireScopeOrTicket<TBuilder>(this TBuilder route, string scope)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(scope, TakesTicket: true));

    /// <summary>For what an owner may know of itself: callers without the scope are let in to their own, with the other scope.</summary>
    public static TBuilder RequireScopeOrOwner<TBuilder>(this TBuilder route, string scope, string ownerScope)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(scope, OwnerScope: ownerScope));

    /// <summary>For what monitoring reads.</summary>
    public static TBuilder RequireScopeOrScrapeToken<TBuilder>(this TBuilder route, string scope)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(scope, TakesScrapeToken: true));

    public static TBuilder OpenToAll<TBuilder>(this TBuilder route)
        where TBuilder : IEndpointConventionBuilder => route.WithMetadata(new RouteAccess(null));
}
