using System.Globalization;
using System.Text;
using StacyVM.Engine.Store;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Server.Audit;
using StacyVM.Server.Json;
using StacyVM.Server.OpenApi;
using StacyVM.Server.Requests;
using StacyVM.Server.Security;

namespace StacyVM.Server.Endpoints;

/// <summary>What was done in the admin area, and what was refused anywhere.</summary>
internal sealed class AdminAuditEndpoints(IAdminAuditStore audit)
{
    private const int DefaultLimit = 100;
    private const int MaxLimit = 500;

    private const string Example =
        """[{"id":7,"actor":"admin:X-Admin-API-Key","method":"GET","path":"/api/v1/admin/providers","status":200,"duration_ms":3,"request_id":"0b6f5d3e-6a53-4c1c-9d53-0f6f3a8f2b11","remote_addr":"127.0.0.1","user_agent":"curl/8.5.0","tenant_id":"","created_at":"2026-05-04T10:00:00Z"}]""";

    private const string CsvExample = """
        id,created_at,actor,method,path,status,duration_ms,request_id,remote_addr,user_agent
        7,2026-05-04T10:00:00Z,admin:X-Admin-API-Key,GET,/api/v1/admin/providers,200,3,0b6f5d3e-6a53-4c1c-9d53-0f6f3a8f2b11,127.0.0.1,curl/8.5.0

        """;

    public void Map(IEndpointRouteBuilder admin) => admin.MapGet("/audit", ListAsync).RequireScope(Scopes.Admin).Describe(new RouteDescription(
        "listAudit", "Read the admin audit", "Requests to the admin area and calls that were refused anywhere, newest first.")
        .Query("limit", "How many rows at most; 100 when absent, 500 at most.", "integer", example: "100")
        .Query("actor", "Only this actor, or whoever claimed this user id.", example: "admin:X-Admin-API-Key")
        .Query("method", "Only this HTTP method, in any case.", example: "GET")
        .Query("status", "Only answers with this status.", "integer", example: "401")
        .Query("path", "Only paths that contain this.", example: "/admin/providers")
        .Query("format", "`csv` for a table, safe to open in a spreadsheet; JSON when absent.", example: "json")
        .AnswersWith(200, RestJson.Default.IReadOnlyListAdminAuditRecord, Example)
        .AnswersWith(200, AuditCsv.ContentType, "The same as CSV with a header row, without `tenant_id`.", example: CsvExample)
        .Fails(ProblemKind.InvalidInput));

    private async Task ListAsync(HttpContext context)
    {
        bool csv = context.Query("format") switch
        {
            null or "" or "json" => false,
            "csv" => true,
            _ => throw Refusal.BadInput("format must be json or csv"),
        };
        var filter = new AdminAuditFilter(Math.Min(Number(context, "limit") ?? DefaultLimit, MaxLimit))
        {
            Actors = Text(context, "actor") is { } actor ? Actors.Meant(actor) : null,
            Method = Text(context, "method")?.ToUpperInvariant(),
            Status = Number(context, "status"),
            Path = Text(context, "path"),
            Tenant = context.Caller().Tenant,
        };
        IReadOnlyList<AdminAuditRecord> records = await audit.ReadAsync(filter, context.RequestAborted);
        if (csv)
            await WriteCsvAsync(context, records);
        else
            await JsonAnswer.OkAsync(context, records, RestJson.Default.IReadOnlyListAdminAuditRecord);
    }

    private static async Task WriteCsvAsync(HttpContext context, IReadOnlyList<AdminAuditRecord> records)
    {
        byte[] table = Encoding.UTF8.GetBytes(AuditCsv.Write(records));
        JsonAnswer.Describe(context.Response);
        context.Response.ContentType = AuditCsv.ContentType;
        context.Response.Headers.ContentDisposition = AuditCsv.Disposition;
        context.Response.ContentLength = table.Length;
        await context.Response.BodyWriter.WriteAsync(table, context.RequestAborted);
    }

    private static string? Text(HttpContext context, string name) => context.Query(name) is { Length: > 0 } text ? text : null;

    private static int? Number(HttpContext context, string name)
    {
        if (Text(context, name) is not { } text)
            return null;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number > 0
            ? number
            : throw Refusal.BadInput($"{name} must be a whole number of at least 1");
    }
}
