using System.Net.Http.Headers;
using System.Text;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Primitives;
using StacyVM.Server.Security;
using Yarp.ReverseProxy.Forwarder;

namespace StacyVM.Server.Previews;

/// <summary>
/// What changes between a preview's client and the sandbox. Towards the sandbox: credentials of the API are taken out, forwarding headers are made
/// anew. Back: cookies lose their domain, so that one preview cannot set them for another.
/// </summary>
internal sealed class PreviewTransformer(KeyRing keys, Tickets tickets) : HttpTransformer
{
    private static readonly string[] NeverForwarded =
    [
        PresentedKeys.ClientHeader, PresentedKeys.AdminHeader, PresentedKeys.UserHeader, PresentedKeys.TenantHeader, "X-Worker-ID", "X-Worker-Token",
        "Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Prefix", "X-Forwarded-Server",
        "X-Real-IP", "True-Client-IP", "X-Original-Host",
    ];

    public override async ValueTask TransformRequestAsync(
        HttpContext context, HttpRequestMessage request, string destinationPrefix, CancellationToken cancellation)
    {
        await base.TransformRequestAsync(context, request, destinationPrefix, cancellation);
        HttpRequestHeaders headers = request.Headers;
        foreach (string name in NeverForwarded)
            headers.Remove(name);
        // The forwarder knows the usual headers of a single hop; those that the client names itself end here, too (Kestrel hides the names when
        // keep-alive or close stands beside them).
        foreach (string name in context.Request.Headers.GetCommaSeparatedValues("Connection"))
            headers.Remove(name);
        if (IsOurs(context.Request.Headers.Authorization.ToString()))
            headers.Remove("Authorization");
        headers.Host = context.Request.Host.Value;
        headers.TryAddWithoutValidation("X-Forwarded-For", ClientAddress.Of(context).ToString());
        headers.TryAddWithoutValidation("X-Forwarded-Host", context.Request.Host.Value);
        headers.TryAddWithoutValidation("X-Forwarded-Proto", context.Request.Scheme);
        request.RequestUri = Target(context, destinationPrefix) ?? request.RequestUri;
    }

    public override async ValueTask<bool> TransformResponseAsync(HttpContext context, HttpResponseMessage? response, CancellationToken cancellation)
    {
        bool copyBody = await base.TransformResponseAsync(context, response, cancellation);
        IHeaderDictionary headers = context.Response.Headers;
        if (headers.SetCookie.Count > 0)
            headers.SetCookie = new StringValues([.. headers.SetCookie.Select(WithoutDomain)]);
        headers.Remove("Alt-Svc");
        return copyBody;
    }

    internal static string WithoutDomain(string? cookie) => string.Join(
        ';', (cookie ?? "").Split(';').Where(static (part, index) => index == 0 || !IsDomain(part)));

    private static bool IsDomain(string part)
    {
        ReadOnlySpan<char> name = part.AsSpan();
        int equals = name.IndexOf('=');
        return (equals < 0 ? name : name[..equals]).Trim().Equals("domain", StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>True for a key or a ticket of this server in any scheme; a guest application's own credentials pass.</summary>
    private bool IsOurs(string authorization)
    {
        int blank = authorization.IndexOf(' ');
        if (blank < 0)
            return authorization.Length > 0 && IsSecret(authorization);
        string value = authorization[(blank + 1)..].Trim();
        if (!authorization.StartsWith("Basic ", StringComparison.OrdinalIgnoreCase))
            return IsSecret(value);
        byte[] bytes = new byte[value.Length];
        return Convert.TryFromBase64String(value, bytes, out int length) && Encoding.UTF8.GetString(bytes, 0, length).Split(':', 2).Any(IsSecret);
    }

    private bool IsSecret(string value) =>
        keys.RoleOf(value) is not null || tickets.Knows(value) || value.StartsWith("stacyvm-", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// The path and query exactly as they were sent: decoding and encoding them again would change what the application sees. Only a ticket of ours
    /// is taken out of the query.
    /// </summary>
    private Uri? Target(HttpContext context, string destinationPrefix)
    {
        string raw = context.Features.Get<IHttpRequestFeature>()?.RawTarget ?? "";
        if (context.Request.Query.TryGetValue("ticket", out StringValues ticket) && ticket.Any(value => value is not null && tickets.Knows(value)))
        {
            var query = new QueryBuilder(context.Request.Query.Where(pair => pair.Key != "ticket"));
            raw = context.Request.Path.ToUriComponent() + query.ToQueryString();
        }
        if (!raw.StartsWith('/'))
            return null;
        int fragment = raw.IndexOf('#');
        if (fragment >= 0)
            raw = raw[..fragment];
        return new Uri(destinationPrefix + raw, new UriCreationOptions { DangerousDisablePathAndQueryCanonicalization = true });
    }
}
