using StacyVM.Engine.Sandboxes;
using StacyVM.Engine.Templates;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Templates, and sandboxes from them.</summary>
internal sealed class TemplateEndpoints(TemplateCatalog templates, SandboxDirectory sandboxes)
{
    private const string SavedExample =
        """{"name":"python","image":"python:3.12","description":"Data analysis","vcpus":2,"memory_mb":1024,"ttl":"30m","env":{"MPLBACKEND":"agg"},"setup":["pip install numpy"],"secrets":[{"name":"TOKEN","inject_at":"API_TOKEN","value":"…"}]}""";

    private const string SpawnMeaning =
        "Files are written, secrets put in place and set-up commands run before the sandbox is `running`. When one of them fails, nothing of the sandbox stays, and the "
        + "message says which command it was and how its stderr ended.";

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/templates", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("listTemplates", "List templates", "By name.")
            .AnswersWith(200, RestJson.Default.IReadOnlyListTemplateInfo, RouteExamples.ListOf(RouteExamples.Template)));
        // The SDKs save with the client key.
        api.MapPost("/templates", CreateAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "createTemplate", "Save a new template", "Needs `name` and `image`. Values of secrets are sealed at rest and never given back.")
            .Takes(RestJson.Default.TemplateRequest, SavedExample)
            .AnswersWith(201, RestJson.Default.TemplateInfo, RouteExamples.Template, "The template; `Location` has its address.")
            .Fails(ProblemKind.Conflict, ProblemKind.StorageFull));
        api.MapGet("/templates/{name}", GetAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getTemplate", "Read a template")
            .AnswersWith(200, RestJson.Default.TemplateInfo, RouteExamples.Template)
            .Fails(ProblemKind.NotFound));
        api.MapPut("/templates/{name}", ReplaceAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "replaceTemplate", "Change a template", "Replaces the fields that are given and keeps the others; counts `version` up. A secret without a value keeps the one it has.")
            .Takes(RestJson.Default.TemplateRequest, """{"memory_mb":2048,"description":""}""")
            .AnswersWith(200, RestJson.Default.TemplateInfo, RouteExamples.Template)
            .Fails(ProblemKind.NotFound, ProblemKind.Conflict, ProblemKind.StorageFull));
        api.MapDelete("/templates/{name}", DeleteAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "deleteTemplate", "Delete a template", "Sandboxes that were made of it live on.")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"deleted"}""")
            .Fails(ProblemKind.NotFound));
        api.MapPost("/templates/{name}/spawn", SpawnAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "spawnTemplate", "Spawn a sandbox from a template", SpawnMeaning)
            .MayTake(RestJson.Default.SpawnRequest, """{"provider":"docker","ttl":"1h"}""")
            .AnswersWith(201, RestJson.Default.SandboxInfo, RouteExamples.SpawnedFromTemplate, "The running sandbox; `Location` has its address.")
            .Fails(ProblemKind.ProviderNotFound, ProblemKind.NotFound, ProblemKind.Conflict, ProblemKind.ExecTimeout, ProblemKind.ResourceLimit, ProblemKind.Unsupported,
                ProblemKind.ProviderUnavailable, ProblemKind.StorageFull));
    }

    private async Task ListAsync(HttpContext context) =>
        await JsonAnswer.OkAsync(context, await templates.ListAsync(context.RequestAborted), RestJson.Default.IReadOnlyListTemplateInfo);

    private async Task CreateAsync(HttpContext context)
    {
        TemplateInfo info = await templates.CreateAsync(await JsonBody.ReadAsync(context, RestJson.Default.TemplateRequest));
        context.Response.Headers.Location = $"/api/v1/templates/{Uri.EscapeDataString(info.Name)}";
        await JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, info, RestJson.Default.TemplateInfo);
    }

    private async Task GetAsync(HttpContext context) =>
        await JsonAnswer.OkAsync(context, await templates.GetAsync(context.TemplateName(), context.RequestAborted), RestJson.Default.TemplateInfo);

    private async Task ReplaceAsync(HttpContext context)
    {
        TemplateRequest request = await JsonBody.ReadAsync(context, RestJson.Default.TemplateRequest);
        await JsonAnswer.OkAsync(context, await templates.ReplaceAsync(context.TemplateName(), request, context.RequestAborted), RestJson.Default.TemplateInfo);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        await templates.DeleteAsync(context.TemplateName());
        await JsonAnswer.StatusAsync(context, "deleted");
    }

    /// <summary>Clients send overrides, an empty object, or nothing at all.</summary>
    private async Task SpawnAsync(HttpContext context)
    {
        SpawnRequest request = await JsonBody.ReadOrDefaultAsync(context, RestJson.Default.SpawnRequest) with { Template = context.TemplateName() };
        await SandboxEndpoints.AnswerSpawnedAsync(context, await sandboxes.CreateAsync(request, context.Caller(), context.RequestAborted));
    }
}
