using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>One-time tickets.</summary>
internal sealed class TicketEndpoints(Tickets tickets)
{
    public void Map(IEndpointRouteBuilder api) =>
        api.MapPost("/tickets", IssueAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "createTicket", "Make a one-time ticket",
            "For clients that cannot set headers: the ticket goes into the query of a WebSocket or event stream and stands for the caller of this route. It is good once, for a short time.")
            .AnswersWith(201, RestJson.Default.TicketInfo, """{"ticket":"tkt_0d9c1b7a5e3f2846","expires_at":"2026-05-04T10:00:30Z"}"""));

    private Task IssueAsync(HttpContext context)
    {
        (string ticket, DateTimeOffset expiresAt) = tickets.Issue(context.Identity());
        context.Response.Headers.CacheControl = "no-store";
        var info = new TicketInfo { Ticket = ticket, ExpiresAt = expiresAt.UtcDateTime };
        return JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, info, RestJson.Default.TicketInfo);
    }
}
