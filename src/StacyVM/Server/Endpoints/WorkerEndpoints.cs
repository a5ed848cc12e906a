using StacyVM.Engine.Cluster;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Observability;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>The machines that host sandboxes; in this version the server itself. The same routes exist below <c>/admin</c>.</summary>
internal sealed class WorkerEndpoints(LocalWorker local)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/workers", context => JsonAnswer.OkAsync(context, [local.Describe()], RestJson.Default.ListWorkerInfo)).RequireScope(Scopes.Read)
            .Describe(new RouteDescription("listWorkers", "List workers").AnswersWith(200, RestJson.Default.ListWorkerInfo, RouteExamples.ListOf(Examples.Worker)));
        routes.MapGet("/workers/{id}", GetAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getWorker", "Inspect a worker")
            .Path("id", "Id of the worker.", WorkerInfo.Local).AnswersWith(200, RestJson.Default.WorkerInfo, Examples.Worker).Fails(ProblemKind.NotFound));
    }

    private Task GetAsync(HttpContext context)
    {
        WorkerInfo worker = local.Describe();
        string id = (string)context.Request.RouteValues["id"]!;
        return id == worker.Id
            ? JsonAnswer.OkAsync(context, worker, RestJson.Default.WorkerInfo)
            : throw new StacyVMException(ProblemKind.NotFound, $"no worker of that id; there is {worker.Id}");
    }
}
