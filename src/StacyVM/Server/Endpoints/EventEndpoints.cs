using StacyVM.Server.Security;
using StacyVM.Server.Streaming;

namespace StacyVM.Server.Endpoints;

/// <summary>What happens, as it happens.</summary>
internal sealed class EventEndpoints(EventStream stream)
{
    public void Map(IEndpointRouteBuilder api) => api.MapGet("/events", stream.WriteAsync).RequireScopeOrTicket(Scopes.Read);
}
