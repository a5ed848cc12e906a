using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Isolation levels and their health. The same routes exist below <c>/admin</c>, for administrators.</summary>
internal sealed class ProviderEndpoints(ProviderRegistry providers, SandboxDirectory sandboxes)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/providers", ListAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("listProviders", "List providers", "Ordered by name.")
            .AnswersWith(200, RestJson.Default.ListProviderInfo, RouteExamples.ListOf(RouteExamples.Provider)));
        routes.MapPost("/providers/test", TestAsync).RequireScope(Scopes.Api).Describe(new RouteDescription("testProviders", "Probe all providers now")
            .AnswersWith(200, RestJson.Default.DictionaryStringBoolean, """{"bubblewrap":true,"docker":false}""", "Name of each provider and whether it is healthy."));
        routes.MapGet("/providers/{name}", GetAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getProvider", "Inspect a provider")
            .AnswersWith(200, RestJson.Default.ProviderDetail,
                $$$"""{"name":"bubblewrap","healthy":true,"default":true,"sandbox_count":2,"health":{{{RouteExamples.Provider}}},"config":{"type":"bubblewrap"}}""")
            .Fails(ProblemKind.ProviderNotFound));
    }

    private async Task ListAsync(HttpContext context)
    {
        IReadOnlyList<ProviderInfo> health = await providers.HealthAsync(context.RequestAborted);
        await JsonAnswer.OkAsync(context, [.. health.OrderBy(provider => provider.Name, StringComparer.Ordinal)], RestJson.Default.ListProviderInfo);
    }

    private async Task TestAsync(HttpContext context)
    {
        ProviderInfo[] probed = await Task.WhenAll(providers.Names.Select(name => providers.ProbeAsync(name, context.RequestAborted)));
        await JsonAnswer.OkAsync(context, probed.ToDictionary(provider => provider.Name, provider => provider.Healthy), RestJson.Default.DictionaryStringBoolean);
    }

    private async Task GetAsync(HttpContext context)
    {
        string name = (string)context.Request.RouteValues["name"]!;
        int count = sandboxes.List(context.Caller()).Count(sandbox => sandbox.Provider == name);
        await JsonAnswer.OkAsync(context, await providers.DetailAsync(name, count, context.RequestAborted), RestJson.Default.ProviderDetail);
    }
}
