using StacyVM.Engine.Checkpoints;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>What is saved of sandboxes, and what is done with that: checkpoints, forks; sandboxes that stand still.</summary>
internal sealed class CheckpointEndpoints(CheckpointCatalog checkpoints, CheckpointWork work, SandboxForks forks, SandboxDirectory sandboxes)
{
    private const string Checkpoint =
        """{"id":"cp-4f1c09d2a7b3e865","name":"prepared","state":"ready","provider":"bubblewrap","content":"files","image":"host","memory_mb":512,"vcpus":1,"size_bytes":1048576,"owner_id":"alice","sandbox_id":"sb-4f1c09d2a7b3e865","created_at":"2026-05-04T10:00:00Z"}""";

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapPost("/sandboxes/{id}/checkpoints", CreateAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "createCheckpoint", "Save a sandbox under a name",
            "It stands still meanwhile and runs on afterwards. What is saved depends on its level: `files`, or `memory` with every process.")
            .Takes(RestJson.Default.CheckpointRequest, """{"name":"prepared"}""", "name")
            .AnswersWith(201, RestJson.Default.CheckpointInfo, Checkpoint, "The checkpoint; `Location` has its address.")
            .Fails(ProblemKind.SandboxDestroyed, ProblemKind.Conflict, ProblemKind.ResourceLimit, ProblemKind.Unsupported, ProblemKind.SandboxGone, ProblemKind.StorageFull));
        api.MapGet("/checkpoints", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("listCheckpoints", "List checkpoints", "Newest first.")
            .AnswersWith(200, RestJson.Default.ListCheckpointInfo, RouteExamples.ListOf(Checkpoint)));
        api.MapGet("/checkpoints/{name}", GetAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getCheckpoint", "Inspect a checkpoint")
            .Path("name", "Name or id.", "prepared")
            .AnswersWith(200, RestJson.Default.CheckpointInfo, Checkpoint)
            .Fails(ProblemKind.NotFound, ProblemKind.Conflict));
        api.MapDelete("/checkpoints/{name}", DeleteAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "deleteCheckpoint", "Delete a checkpoint", "Sandboxes that were started from it live on. Refused while one is being started from it.")
            .Path("name", "Name or id.", "prepared")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"deleted"}""")
            .Fails(ProblemKind.NotFound, ProblemKind.Conflict, ProblemKind.ProviderUnavailable));
        api.MapPost("/sandboxes/{id}/fork", ForkAsync).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "forkSandbox", "Copy a running sandbox",
            "Each copy is a sandbox of its own for the owner of the first, with an id, name and entropy of its own, within the owner's limits. Those that come are answered, the others with why they did not come; when none comes, that is the answer.")
            .Takes(RestJson.Default.ForkRequest, """{"count":2,"ttl":"30m"}""")
            .AnswersWith(201, RestJson.Default.ForkResult, $$"""{"sandboxes":[{{RouteExamples.Sandbox}}]}""")
            .Fails(ProblemKind.SandboxDestroyed, ProblemKind.Conflict, ProblemKind.ResourceLimit, ProblemKind.Unsupported, ProblemKind.SandboxGone, ProblemKind.StorageFull));
        api.MapPost("/sandboxes/{id}/pause", context => StandAsync(context, sandboxes.PauseAsync)).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "pauseSandbox", "Let a sandbox stand still",
            "Its processes get no time until it is resumed; commands and files are refused meanwhile. Its lifetime runs on, and it can be destroyed. Pausing twice is not an error.")
            .AnswersWith(200, RestJson.Default.SandboxInfo, RouteExamples.Sandbox)
            .Fails(ProblemKind.SandboxDestroyed, ProblemKind.Conflict, ProblemKind.Unsupported, ProblemKind.SandboxGone));
        api.MapPost("/sandboxes/{id}/resume", context => StandAsync(context, sandboxes.ResumeAsync)).RequireScope(Scopes.Api).Describe(new RouteDescription(
            "resumeSandbox", "Let a paused sandbox run again", "Resuming one that runs is not an error.")
            .AnswersWith(200, RestJson.Default.SandboxInfo, RouteExamples.Sandbox)
            .Fails(ProblemKind.SandboxDestroyed, ProblemKind.Conflict, ProblemKind.Unsupported, ProblemKind.SandboxGone));
    }

    private async Task CreateAsync(HttpContext context)
    {
        CheckpointRequest request = await JsonBody.ReadAsync(context, RestJson.Default.CheckpointRequest);
        CheckpointInfo made = await work.CreateAsync(context.SandboxId(), request.Name, context.Caller(), context.RequestAborted);
        context.Response.Headers.Location = $"/api/v1/checkpoints/{made.Name}";
        await JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, made, RestJson.Default.CheckpointInfo);
    }

    private Task ListAsync(HttpContext context) => JsonAnswer.OkAsync(context, [.. checkpoints.List(context.Caller())], RestJson.Default.ListCheckpointInfo);

    private Task GetAsync(HttpContext context) =>
        JsonAnswer.OkAsync(context, checkpoints.Get(Name(context), context.Caller()).ToInfo(), RestJson.Default.CheckpointInfo);

    private async Task DeleteAsync(HttpContext context)
    {
        await work.DeleteAsync(Name(context), context.Caller(), context.RequestAborted);
        await JsonAnswer.StatusAsync(context, "deleted");
    }

    private async Task ForkAsync(HttpContext context)
    {
        ForkRequest request = await JsonBody.ReadAsync(context, RestJson.Default.ForkRequest);
        ForkResult result = await forks.ForkAsync(context.SandboxId(), request, context.Caller(), context.RequestAborted);
        await JsonAnswer.WriteAsync(context, StatusCodes.Status201Created, result, RestJson.Default.ForkResult);
    }

    private static async Task StandAsync(HttpContext context, Func<string, Caller, CancellationToken, Task<SandboxInfo>> change) =>
        await JsonAnswer.OkAsync(context, await change(context.SandboxId(), context.Caller(), context.RequestAborted), RestJson.Default.SandboxInfo);

    private static string Name(HttpContext context) => (string)context.Request.RouteValues["name"]!;
}
