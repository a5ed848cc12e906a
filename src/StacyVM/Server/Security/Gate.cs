using System.Text;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;

namespace StacyVM.Server.Security;

/// <summary>
/// Decides who asks and whether the route is theirs. Runs once a request, after routing and before any endpoint:
/// 1 who: key, ticket, or nobody; 2 nobody is refused where a key is needed, on unknown paths too; 3 the route's scope.
/// </summary>
internal sealed class Gate(KeyRing keys, Tickets tickets)
{
    private const int MaxNameBytes = 128;

    public Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        RouteAccess? access = context.GetEndpoint()?.Metadata.GetMetadata<RouteAccess>();
        Identity? identity = Identify(context, access);
        if (identity is null)
        {
            if (access is { Scope: null })
                identity = Identity.Stranger;
            else if (context.Request.Path.StartsWithSegments("/api"))
                throw new Refusal(ProblemKind.Unauthorized, "invalid or missing API key");
        }
        if (identity is not null)
        {
            context.Features.Set(identity);
            if (access?.ScopeFor(identity.Caller, context.Request.RouteValues) is { } scope)
                Check(identity, scope);
        }
        return next(context);
    }

    private Identity? Identify(HttpContext context, RouteAccess? access)
    {
        if (access is { TakesTicket: true } && context.Query("ticket") is { Length: > 0 } ticket)
            return tickets.Redeem(ticket) ?? throw new Refusal(ProblemKind.Unauthorized, "invalid, expired or used ticket; POST /api/v1/tickets makes a new one");
        bool presented = false;
        foreach (var (header, key) in PresentedKeys.In(context.Request.Headers))
        {
            presented = true;
            if (access is { TakesScrapeToken: true } && keys.IsScrapeToken(key))
                return new Identity(CallerOf(context, Scopes.ScrapeRole, $"{Scopes.ScrapeRole}:{header}", tenanted: false), Known: true);
            if (keys.RoleOf(key) is { } role)
                return new Identity(CallerOf(context, role, $"{role}:{header}", tenanted: true), Known: true);
        }
        // A wrong key is refused also where none is needed, once there are keys that it could be: it is a mistake that the caller wants to know of.
        if (keys.NeedsKey || (presented && keys.HasKeys))
            return null;
        return new Identity(CallerOf(context, "anonymous", "anonymous", tenanted: false), Known: true, Open: true);
    }

    private void Check(Identity identity, string scope)
    {
        if (identity.Scopes.Contains(scope) || (scope == Scopes.Admin && identity.Caller.Role == KeyRing.ClientRole && keys.AdminFallback))
            return;
        bool adminKeyNeeded = scope == Scopes.Admin && identity.Caller.Role == KeyRing.ClientRole && keys.HasAdminKey;
        throw new Refusal(ProblemKind.Forbidden, adminKeyNeeded ? "admin API key required" : "required authorization scope missing");
    }

    private static Caller CallerOf(HttpContext context, string role, string actor, bool tenanted)
    {
        string? owner = Name(context, PresentedKeys.UserHeader);
        string? tenant = tenanted ? Name(context, PresentedKeys.TenantHeader) : null;
        return new Caller(role, owner, tenant, owner ?? actor);
    }

    private static string? Name(HttpContext context, string header)
    {
        string value = context.Request.Headers[header].ToString().Trim();
        if (value.Length == 0)
            return null;
        bool bad = Encoding.UTF8.GetByteCount(value) > MaxNameBytes || value.Any(c => c is '/' or '\\' || char.IsControl(c) || char.IsWhiteSpace(c));
        return bad
            ? throw new Refusal(ProblemKind.InvalidInput, $"invalid input: {header} takes at most {MaxNameBytes} bytes without slash, white space or control character")
            : value;
    }
}
