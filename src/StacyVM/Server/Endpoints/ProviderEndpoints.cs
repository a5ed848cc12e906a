using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Isolation levels and their health. The same routes exist below <c>/admin</c>, for administrators.</summary>
internal sealed class ProviderEndpoints(ProviderRegistry providers, SandboxDirectory sandboxes)
{
    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/providers", ListAsync).RequireScope(Scopes.Read);
        routes.MapPost("/providers/test", TestAsync).RequireScope(Scopes.Api);
        routes.MapGet("/providers/{name}", GetAsync).RequireScope(Scopes.Read);
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
