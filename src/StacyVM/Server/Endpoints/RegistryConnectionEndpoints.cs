using StacyVM.Engine.Environments;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Accounts at registries that builds push with.</summary>
internal sealed class RegistryConnectionEndpoints(RegistryConnections connections)
{
    private const string Connection =
        """{"id":"c2a5e8d1-4b7f-4e39-9d60-1a8b3c5d7e92","owner_id":"alice","provider":"ghcr","username":"alice-dev","is_default":true,"created_at":"2026-05-04T10:00:00Z","updated_at":"2026-05-04T10:00:00Z"}""";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/environments/registry-connections", SaveAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "saveRegistryConnection", "Save an account at a registry", "With an `id` that is there already it replaces that connection. The secret is sealed at rest and never given back; a new default takes that from the owner's others of the same provider.")
            .Takes(RestJson.Default.RegistryConnectionRequest,
                """{"owner_id":"alice","provider":"ghcr","username":"alice-dev","secret_ref":"…","is_default":true}""",
                "owner_id", "provider", "username", "secret_ref")
            .AnswersWith(201, RestJson.Default.RegistryConnectionInfo, Connection)
            .Fails(ProblemKind.Conflict, ProblemKind.StorageFull));
        routes.MapGet("/environments/registry-connections", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription(
            "listRegistryConnections", "List the accounts of an owner", "In the order in which builds prefer them.")
            .Query("owner_id", "Whose; required.", required: true, example: "alice")
            .AnswersWith(200, RestJson.Default.ListRegistryConnectionInfo, RouteExamples.ListOf(Connection)));
        routes.MapDelete("/environments/registry-connections/{id}", DeleteAsync).RequireScope(Scopes.Operator).Describe(new RouteDescription(
            "deleteRegistryConnection", "Forget an account", "With its secret. Images that were pushed stay where they are.")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"deleted"}""")
            .Fails(ProblemKind.NotFound, ProblemKind.StorageFull));
    }

    private async Task SaveAsync(HttpContext context)
    {
        RegistryConnectionRequest request = await JsonBody.ReadAsync(context, RestJson.Default.RegistryConnectionRequest);
        RegistryConnection connection = await connections.SaveAsync(request, context.Caller());
        await JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, connection.ToInfo(), RestJson.Default.RegistryConnectionInfo);
    }

    private async Task ListAsync(HttpContext context)
    {
        IReadOnlyList<RegistryConnection> found = await connections.ListAsync(context.RequiredOwner(), context.Caller(), context.RequestAborted);
        await JsonAnswer.OkAsync(context, [.. found.Select(connection => connection.ToInfo())], RestJson.Default.ListRegistryConnectionInfo);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        await connections.DeleteAsync((string)context.Request.RouteValues["id"]!, context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "deleted");
    }
}
