using StacyVM.Protocol.Rest;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Security;
using StacyVM.Server.Streaming;

namespace StacyVM.Server.Endpoints;

/// <summary>What happens, as it happens.</summary>
internal sealed class EventEndpoints(EventStream stream)
{
    public void Map(IEndpointRouteBuilder api) =>
        api.MapGet("/events", stream.WriteAsync).RequireScopeOrTicket(Scopes.Read).Describe(new RouteDescription(
            "streamEvents", "Follow events",
            "Server-sent events, without an end: an `id:` and a `data:` line each, comments in between to keep the connection alive.")
            .Query("type", "Only events of these types, separated by commas.", example: "sandbox.created")
            .Query("sandbox_id", "Only events of this sandbox.", example: RouteExamples.SandboxId)
            .Header("Last-Event-ID", "Replay what came after this event, as far as it is remembered.", "evt-41")
            .AnswersWith(200, "text/event-stream", "Each `data:` line is one event.", RestJson.Default.EventMessage,
                """{"id":"evt-42","type":"sandbox.created","sandbox_id":"sb-4f1c09d2a7b3e865","timestamp":"2026-05-04T10:00:00.123Z"}"""));
}
