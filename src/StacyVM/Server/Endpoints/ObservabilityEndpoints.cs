using System.Text;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.Observability;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Diagnostics for people and metrics for monitoring. The same routes exist below <c>/admin</c>.</summary>
internal sealed class ObservabilityEndpoints(SystemReport report)
{
    private const string Token = "From memory: asking probes no level. The token `auth.metrics_token` opens it, too.";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/diagnostics", context => JsonAnswer.OkAsync(context, report.Diagnostics(), RestJson.Default.DiagnosticsInfo)).RequireScope(Scopes.Read)
            .Describe(new RouteDescription("getDiagnostics", "State of the server", "From memory: asking probes no level. Holds no secret.")
                .AnswersWith(200, RestJson.Default.DiagnosticsInfo, Examples.Diagnostics));
        routes.MapGet("/metrics", context => JsonAnswer.OkAsync(context, report.Metrics(), RestJson.Default.MetricsInfo)).RequireScopeOrScrapeToken(Scopes.Read)
            .Describe(new RouteDescription("getMetrics", "Counters of the server", Token).AnswersWith(200, RestJson.Default.MetricsInfo, Examples.Metrics));
        routes.MapGet("/metrics/prometheus", PrometheusAsync).RequireScopeOrScrapeToken(Scopes.Read)
            .Describe(new RouteDescription("scrapeMetrics", "Counters for Prometheus", Token)
                .AnswersWith(200, PrometheusText.ContentType, "Prometheus' text format.", example: Examples.Prometheus));
    }

    private async Task PrometheusAsync(HttpContext context)
    {
        byte[] page = Encoding.UTF8.GetBytes(PrometheusPage.Of(report.Metrics(), report.Uptime));
        context.Response.ContentType = PrometheusText.ContentType;
        context.Response.Headers.XContentTypeOptions = "nosniff";
        context.Response.ContentLength = page.Length;
        await context.Response.BodyWriter.WriteAsync(page, context.RequestAborted);
    }
}
