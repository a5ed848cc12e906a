using StacyVM.Engine.Providers;
using StacyVM.Protocol;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Health for load balancers and people: open to all, with details for those who may see them.</summary>
internal sealed class HealthEndpoints(ProviderRegistry providers, ServerLifetime lifetime, TimeProvider time)
{
    private readonly long _start = time.GetTimestamp();

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/health", context => AnswerAsync(context, "ok")).OpenToAll().Describe(new RouteDescription("getHealth", "Whether the server works")
            .AnswersWith(200, RestJson.Default.HealthInfo, RouteExamples.Health));
        api.MapGet("/live", context => AnswerAsync(context, "alive")).OpenToAll().Describe(new RouteDescription("getLiveness", "Whether the server runs")
            .AnswersWith(200, RestJson.Default.HealthInfo, """{"status":"alive","version":"0.15.0","uptime":"1h2m3.5s"}"""));
        api.MapGet("/ready", ReadyAsync).OpenToAll().Describe(new RouteDescription(
            "getReadiness", "Whether sandboxes can be spawned", "Ready when at least one provider is healthy and the server is not stopping.")
            .AnswersWith(200, RestJson.Default.ReadyInfo, """{"status":"ready","version":"0.15.0","uptime":"30s","providers":[],"ready_providers":1,"total_providers":2}""")
            .AnswersWith(503, RestJson.Default.ReadyInfo, """{"status":"not_ready"}""", "The same object, when no provider is healthy."));
    }

    private Task AnswerAsync(HttpContext context, string status)
    {
        HealthInfo info = context.Identity().Known
            ? new() { Status = status, Version = ServerVersion.Text, Uptime = Uptime() }
            : new() { Status = status };
        return JsonAnswer.OkAsync(context, info, RestJson.Default.HealthInfo);
    }

    private async Task ReadyAsync(HttpContext context)
    {
        IReadOnlyList<ProviderInfo> health = [.. (await providers.HealthAsync(context.RequestAborted)).OrderBy(provider => provider.Name, StringComparer.Ordinal)];
        int healthy = health.Count(provider => provider.Healthy);
        bool ready = healthy > 0 && !lifetime.Stopping.IsCancellationRequested;
        var info = new ReadyInfo { Status = ready ? "ready" : "not_ready" };
        if (context.Identity().Known)
        {
            info = info with
            {
                Version = ServerVersion.Text,
                Uptime = Uptime(),
                Providers = health,
                ReadyProviders = healthy,
                TotalProviders = health.Count,
            };
        }
        int status = ready ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable;
        await JsonAnswer.WriteAsync(context, status, info, RestJson.Default.ReadyInfo);
    }

    private string Uptime() => GoDuration.Format(time.GetElapsedTime(_start));
}
