using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;

namespace StacyVM.Server.Security;

/// <summary>
/// Lets browsers in only from our own pages and from configured origins, on every route, WebSocket and event stream included; programs send no
/// <c>Origin</c> and are not concerned. A loopback origin on another port is foreign: previews of sandboxes live there. Answers preflights,
/// which carry no key, before anything asks for one.
/// </summary>
internal sealed class OriginGuard(ServerOptions options)
{
    private readonly bool _any = options.CorsAllowedOrigins.Contains("*");
    private readonly HashSet<string> _configured = new(options.CorsAllowedOrigins, StringComparer.Ordinal);

    public Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        string origin = context.Request.Headers.Origin.ToString();
        bool configured = origin.Length > 0 && (_any || _configured.Contains(origin));
        if (configured)
            Permit(context.Response.Headers, origin);
        else if (origin.Length > 0 ? !IsOwn(context.Request, origin) : IsForeignPage(context.Request))
            throw new Refusal(ProblemKind.Forbidden, "CORS origin is not allowed; add it to server.cors_allowed_origins");
        if (HttpMethods.IsOptions(context.Request.Method))
        {
            context.Response.StatusCode = StatusCodes.Status200OK;
            context.Response.ContentLength = 0;
            return Task.CompletedTask;
        }
        return next(context);
    }

    private void Permit(IHeaderDictionary headers, string origin)
    {
        headers.AccessControlAllowOrigin = _any ? "*" : origin;
        if (!_any)
            headers.Vary = "Origin";
        headers.AccessControlAllowMethods = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        headers.AccessControlAllowHeaders =
            "Content-Type, X-API-Key, X-Admin-API-Key, X-Request-ID, X-User-ID, X-Tenant-ID, Authorization, Range, Last-Event-ID";
        headers.AccessControlExposeHeaders = "X-Request-ID, Retry-After, Content-Range, X-RateLimit-Limit, X-RateLimit-Remaining";
        headers.AccessControlMaxAge = "600";
    }

    private static bool IsOwn(HttpRequest request, string origin)
    {
        if (!Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https"))
            return false;
        HostString host = request.Host;
        // A proxy may end TLS before us, so https may stand before our own name; on loopback nothing does that.
        bool sameScheme = uri.Scheme == request.Scheme;
        if (!sameScheme && (uri.Scheme != "https" || uri.IsLoopback))
            return false;
        int port = host.Port ?? (uri.Scheme == "https" ? 443 : 80);
        return uri.Port == port && string.Equals(uri.Host, host.Host, StringComparison.OrdinalIgnoreCase) && uri.AbsolutePath == "/" && uri.UserInfo.Length == 0;
    }

    /// <summary>Requests that a foreign page makes without an origin: images, scripts, plain fetches. Following a link is none of them.</summary>
    private static bool IsForeignPage(HttpRequest request)
    {
        string site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site is not ("cross-site" or "same-site"))
            return false;
        return !(request.Headers["Sec-Fetch-Mode"] == "navigate" && request.Headers["Sec-Fetch-Dest"] == "document" && HttpMethods.IsGet(request.Method));
    }
}
