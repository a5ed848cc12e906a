using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>One-time tickets.</summary>
internal sealed class TicketEndpoints(Tickets tickets)
{
    public void Map(IEndpointRouteBuilder api) => api.MapPost("/tickets", IssueAsync).RequireScope(Scopes.Read);

    private Task IssueAsync(HttpContext context)
    {
        (string ticket, DateTimeOffset expiresAt) = tickets.Issue(context.Identity());
        context.Response.Headers.CacheControl = "no-store";
        var info = new TicketInfo { Ticket = ticket, ExpiresAt = expiresAt.UtcDateTime };
        return JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, info, RestJson.Default.TicketInfo);
    }
}
