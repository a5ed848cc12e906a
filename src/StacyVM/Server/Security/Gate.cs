using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;

namespace StacyVM.Server.Security;

/// <summary>
/// Decides who asks and whether the route is theirs. Runs once a request, after routing and before any endpoint:
/// 1 who: key, ticket, or nobody; 2 their rate; 3 nobody is refused where a key is needed, on unknown paths too; 4 the route's scope.
/// </summary>
internal sealed class Gate(KeyRing keys, Tickets tickets, RateLimits limits, CallerRules rules)
{
    public Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        RouteAccess? access = context.GetEndpoint()?.Metadata.GetMetadata<RouteAccess>();
        // 1.
        Identity identity = Identify(context, access) ?? Identity.Stranger;
        context.Features.Set(identity);
        // 2.
        bool isApi = context.Request.Path.StartsWithSegments("/api");
        if (isApi)
            limits.Count(context, identity);
        // 3.
        if (isApi && !identity.Known && access is not { Scope: null })
            throw new Refusal(ProblemKind.Unauthorized, "invalid or missing API key");
        // 4.
        if (access?.ScopeFor(identity.Caller, context.Request.RouteValues) is { } scope)
            Check(identity, scope);
        return next(context);
    }

    private Identity? Identify(HttpContext context, RouteAccess? access)
    {
        ClientAddress address = ClientAddress.Of(context);
        string? ticket = access is { TakesTicket: true } ? context.Query("ticket") : null;
        bool presented = !string.IsNullOrEmpty(ticket) || (keys.HasKeys && PresentedKeys.In(context.Request.Headers).Any());
        if (presented && limits.HoldsBack(address))
            return access is { Scope: null } ? null : throw limits.TooManyFailures(address);
        if (!string.IsNullOrEmpty(ticket))
            return tickets.Redeem(ticket) ?? throw BadTicket(address);
        foreach (var (header, key) in presented ? PresentedKeys.In(context.Request.Headers) : [])
        {
            if (access is { TakesScrapeToken: true } && keys.IsScrapeToken(key))
                return new Identity(rules.CallerOf(context, Scopes.ScrapeRole, Actors.OfKey(Scopes.ScrapeRole, header)), Known: true);
            if (keys.RoleOf(key) is { } role)
                return new Identity(rules.CallerOf(context, role, Actors.OfKey(role, header)), Known: true);
            // Counted also where a right key follows: who has the client key must not guess at the admin key for nothing.
            limits.CountFailure(address);
        }
        // A wrong key is refused also where none is needed, once there are keys that it could be: it is a mistake that the caller wants to know of.
        if (keys.NeedsKey || presented)
            return null;
        return new Identity(rules.CallerOf(context, Scopes.Anonymous, Actors.Anonymous), Known: true, Open: true);
    }

    private Refusal BadTicket(ClientAddress address)
    {
        limits.CountFailure(address);
        return new Refusal(ProblemKind.Unauthorized, "invalid, expired or used ticket; POST /api/v1/tickets makes a new one");
    }

    private void Check(Identity identity, string scope)
    {
        // Operators come with other ways to log in: among keys only the admin key has what is theirs.
        bool isAdminKeys = (scope is Scopes.Admin or Scopes.Operator) && identity.Caller.Role == KeyRing.ClientRole;
        if (identity.Scopes.Contains(scope) || (isAdminKeys && keys.AdminFallback))
            return;
        bool adminKeyNeeded = isAdminKeys && keys.HasAdminKey;
        throw new Refusal(ProblemKind.Forbidden, adminKeyNeeded ? "admin API key required" : "required authorization scope missing");
    }
}
