namespace StacyVM.Tests.Server;

/// <summary>
/// The one written table: every route and the scope that it needs. A route that is added without a line here fails the test that walks over the running
/// server's routes, and so does a line without a route.
/// </summary>
internal static class RouteScopes
{
    public const string Open = "open";

    private const string Table = """
        GET    /swagger                                            open
        GET    /swagger/doc.json                                   open
        GET    /swagger/index.html                                 open
        GET    /swagger/start.js                                   open
        GET    /swagger/swagger-ui-bundle.js                       open
        GET    /swagger/swagger-ui.css                             open
        GET    /swagger/favicon-32x32.png                          open

        GET    /health                                             open
        GET    /live                                               open
        GET    /ready                                              open

        POST   /sandboxes                                          api:*
        POST   /sandboxes/admission                                read:*
        GET    /sandboxes                                          read:*
        DELETE /sandboxes                                          api:*
        GET    /sandboxes/{id}                                     read:*
        DELETE /sandboxes/{id}                                     api:*
        POST   /sandboxes/{id}/extend                              api:*
        GET    /sandboxes/{id}/logs                                read:*
        GET    /sandboxes/{id}/stats                               read:*
        GET    /sandboxes/{id}/ports                               read:*
        POST   /sandboxes/{id}/exec                                api:*
        GET    /sandboxes/{id}/exec/ws                             api:*   ticket
        GET    /sandboxes/{id}/processes                           read:*
        GET    /sandboxes/{id}/processes/{process}                 read:*
        GET    /sandboxes/{id}/processes/{process}/output          read:*
        POST   /sandboxes/{id}/processes/{process}/signal          api:*
        DELETE /sandboxes/{id}/processes/{process}                 api:*
        POST   /sandboxes/{id}/files                               api:*
        PUT    /sandboxes/{id}/files                               api:*
        GET    /sandboxes/{id}/files                               read:*
        HEAD   /sandboxes/{id}/files                               read:*
        DELETE /sandboxes/{id}/files                               api:*
        GET    /sandboxes/{id}/files/list                          read:*
        POST   /sandboxes/{id}/files/move                          api:*
        POST   /sandboxes/{id}/files/chmod                         api:*
        POST   /sandboxes/{id}/files/mkdir                         api:*
        GET    /sandboxes/{id}/files/stat                          read:*
        GET    /sandboxes/{id}/files/glob                          read:*

        POST   /sandboxes/{id}/checkpoints                         api:*
        POST   /sandboxes/{id}/fork                                api:*
        POST   /sandboxes/{id}/pause                               api:*
        POST   /sandboxes/{id}/resume                              api:*
        GET    /checkpoints                                        read:*
        GET    /checkpoints/{name}                                 read:*
        DELETE /checkpoints/{name}                                 api:*

        GET    /templates                                          read:*
        POST   /templates                                          api:*
        GET    /templates/{name}                                   read:*
        PUT    /templates/{name}                                   api:*
        DELETE /templates/{name}                                   api:*
        POST   /templates/{name}/spawn                             api:*

        GET    /images                                            read:*
        GET    /images/{name}                                     read:*
        POST   /images/pull                                       api:*
        POST   /images/import                                     operator:*
        POST   /images/prune                                      operator:*
        DELETE /images/{name}                                     operator:*

        POST   /environments/specs                                operator:*
        GET    /environments/specs                                read:*
        GET    /environments/specs/{id}                           read:*
        GET    /environments/specs/{id}/suggestions               read:*
        POST   /environments/builds                               operator:*
        GET    /environments/builds                               read:*
        GET    /environments/builds/{id}                          read:*
        POST   /environments/builds/{id}/cancel                   operator:*
        GET    /environments/builds/{id}/spawn-config             read:*
        POST   /environments/registry-connections                 operator:*
        GET    /environments/registry-connections                 read:*
        DELETE /environments/registry-connections/{id}            operator:*

        GET    /providers                                          read:*
        POST   /providers/test                                     api:*
        GET    /providers/{name}                                   read:*
        GET    /quotas                                             admin:*
        GET    /quotas/summary                                     read:*
        GET    /quotas/{owner}                                     admin:* owner:read:*
        GET    /quotas/{owner}/usage                               admin:* owner:read:*
        PUT    /quotas/{owner}                                     admin:*
        DELETE /quotas/{owner}                                     admin:*
        GET    /events                                             read:*  ticket
        POST   /tickets                                            read:*

        GET    /system/stats                                       read:*
        GET    /snapshots                                          read:*
        GET    /pool/status                                        read:*
        PATCH  /config                                             admin:*
        PATCH  /system/config                                      admin:*
        GET    /workers                                            read:*
        GET    /workers/{id}                                       read:*
        GET    /diagnostics                                        read:*
        GET    /metrics                                            read:* scrape
        GET    /metrics/prometheus                                 read:* scrape

        GET    /admin/audit                                        admin:*
        GET    /admin/providers                                    admin:*
        POST   /admin/providers/test                               admin:*
        GET    /admin/providers/{name}                             admin:*
        GET    /admin/quotas                                       admin:*
        GET    /admin/quotas/summary                               admin:*
        GET    /admin/quotas/{owner}                               admin:*
        GET    /admin/quotas/{owner}/usage                         admin:*
        PUT    /admin/quotas/{owner}                               admin:*
        DELETE /admin/quotas/{owner}                               admin:*
        GET    /admin/workers                                      admin:*
        GET    /admin/workers/{id}                                 admin:*
        GET    /admin/diagnostics                                  admin:*
        GET    /admin/metrics                                      admin:*
        GET    /admin/metrics/prometheus                           admin:*
        """;

    /// <summary>Route, such as <c>GET /api/v1/sandboxes</c>, to its line.</summary>
    public static IReadOnlyDictionary<string, RouteScope> All { get; } = Table
        .Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
        .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        .ToDictionary(words => $"{words[0]} {(words[1].StartsWith("/swagger", StringComparison.Ordinal) ? "" : "/api/v1")}{words[1]}", words => new RouteScope(words[2], words.ElementAtOrDefault(3) ?? ""));
}

/// <param name="Scope">A scope, or <see cref="RouteScopes.Open"/>.</param>
/// <param name="Exception"><c>ticket</c>: one in the query may stand for a key; <c>scrape</c>: the token of monitoring opens it; <c>owner:</c> and a scope: enough for the owner whom the path names.</param>
internal sealed record RouteScope(string Scope, string Exception);
