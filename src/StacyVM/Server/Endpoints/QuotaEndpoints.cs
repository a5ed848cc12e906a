using StacyVM.Engine.Quotas;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>Quotas of owners, and what owners use. The same routes exist below <c>/admin</c>, for administrators.</summary>
internal sealed class QuotaEndpoints(OwnerQuotas quotas, Admission admission)
{
    private const string Quota =
        """{"owner_id":"alice","max_sandboxes":20,"max_ttl":"8h0m0s","max_exec_timeout":"0s","created_at":"2026-05-04T10:00:00Z","updated_at":"2026-05-04T10:00:00Z"}""";

    public void Map(IEndpointRouteBuilder routes)
    {
        routes.MapGet("/quotas", ListAsync).RequireScope(Scopes.Admin).Describe(new RouteDescription("listQuotas", "List quotas", "Ordered by owner.")
            .AnswersWith(200, RestJson.Default.ListQuotaInfo, RouteExamples.ListOf(Quota)));
        routes.MapGet("/quotas/summary", SummaryAsync).RequireScope(Scopes.Read).Describe(new RouteDescription("getQuotaSummary", "Count quotas")
            .AnswersWith(200, RestJson.Default.QuotaSummary, """{"total":3,"with_max_sandboxes":2,"with_max_ttl":1,"with_max_exec_timeout":0}"""));
        routes.MapGet("/quotas/{owner}", GetAsync).RequireScopeOrOwner(Scopes.Admin, Scopes.Read).Describe(new RouteDescription(
            "getQuota", "Read the quota of an owner", "Owners may read their own with `read:*`.")
            .AnswersWith(200, RestJson.Default.QuotaInfo, Quota)
            .Fails(ProblemKind.NotFound));
        routes.MapGet("/quotas/{owner}/usage", UsageAsync).RequireScopeOrOwner(Scopes.Admin, Scopes.Read).Describe(new RouteDescription(
            "getQuotaUsage", "Read what an owner uses", "With the limits that really hold, whether the owner has a quota or not. Owners may read their own with `read:*`.")
            .AnswersWith(200, RestJson.Default.QuotaUsage,
                """{"owner_id":"alice","active_sandboxes":3,"max_sandboxes":20,"max_ttl":"8h0m0s","max_exec_timeout":"10m0s","quota_configured":true}"""));
        routes.MapPut("/quotas/{owner}", PutAsync).RequireScope(Scopes.Admin).Describe(new RouteDescription(
            "putQuota", "Set the quota of an owner", "Replaces the whole quota; what is left out is inherited. It holds at once, also for spawns that wait in the queue.")
            .Takes(RestJson.Default.QuotaRequest, """{"max_sandboxes":20,"max_ttl":"8h"}""")
            .AnswersWith(200, RestJson.Default.QuotaInfo, Quota)
            .Fails(ProblemKind.StorageFull));
        routes.MapDelete("/quotas/{owner}", DeleteAsync).RequireScope(Scopes.Admin).Describe(new RouteDescription(
            "deleteQuota", "Remove the quota of an owner", "The defaults hold again.")
            .AnswersWith(200, RestJson.Default.StatusBody, """{"status":"deleted"}""")
            .Fails(ProblemKind.NotFound, ProblemKind.StorageFull));
    }

    private Task ListAsync(HttpContext context) =>
        JsonAnswer.OkAsync(context, [.. quotas.All.Select(quota => quota.ToInfo())], RestJson.Default.ListQuotaInfo);

    private Task SummaryAsync(HttpContext context) => JsonAnswer.OkAsync(context, quotas.Summary, RestJson.Default.QuotaSummary);

    private Task GetAsync(HttpContext context) => JsonAnswer.OkAsync(context, quotas.Get(Owner(context)).ToInfo(), RestJson.Default.QuotaInfo);

    private Task UsageAsync(HttpContext context) => JsonAnswer.OkAsync(context, admission.UsageOf(Owner(context)), RestJson.Default.QuotaUsage);

    private async Task PutAsync(HttpContext context)
    {
        QuotaRequest request = await JsonBody.ReadAsync(context, RestJson.Default.QuotaRequest);
        OwnerQuota quota = await quotas.SaveAsync(Owner(context), request);
        await JsonAnswer.OkAsync(context, quota.ToInfo(), RestJson.Default.QuotaInfo);
    }

    private async Task DeleteAsync(HttpContext context)
    {
        await quotas.DeleteAsync(Owner(context));
        await JsonAnswer.StatusAsync(context, "deleted");
    }

    /// <summary>A slash arrives still encoded, and no owner may have one.</summary>
    private static string Owner(HttpContext context) =>
        ((string)context.Request.RouteValues["owner"]!).Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);
}
