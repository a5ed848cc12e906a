using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using StacyVM.Server;
using StacyVM.Server.Security;

namespace StacyVM.Tests.Server;

/// <summary>The routes of a running server, for tests that walk over all of them.</summary>
internal static partial class ServerRoutes
{
    /// <summary>Something for every query parameter and body field that a route may insist on.</summary>
    private const string Query = "?path=%2Ftmp%2Fx&pattern=*&lines=1&offset=0";

    private const string Body = """
        {"command":"true","ttl":"5m","path":"/tmp/x","content":"x","old_path":"/tmp/x","new_path":"/tmp/y","mode":"0644","signal":"TERM","template":"",
        "name":"x"}
        """;

    private const string ExecBody = """{"command":"true"}""";

    public static List<(string Method, string Pattern, RouteAccess? Access)> Of(StacyServer server) =>
    [
        .. from route in server.Endpoints.OfType<RouteEndpoint>()
           from method in route.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["*"]
           select (method, "/" + route.RoutePattern.RawText!.Trim('/'), route.Metadata.GetMetadata<RouteAccess>()),
    ];

    /// <summary>A request that the route takes for well formed, with these values in the path.</summary>
    public static HttpRequestMessage Request(string method, string pattern, string id = "no-such-thing")
    {
        string path = Parameter().Replace(pattern, match => match.Groups[1].Value switch
        {
            "id" => id,
            "process" => "1",
            _ => "no-such-thing",
        });
        var request = new HttpRequestMessage(new HttpMethod(method), path + Query);
        if (method is "POST" or "PUT" or "PATCH")
            request.Content = new StringContent(pattern.EndsWith("/exec", StringComparison.Ordinal) ? ExecBody : Body, Encoding.UTF8, "application/json");
        return request;
    }

    [GeneratedRegex(@"\{\**(\w+)[^}]*\}")]
    private static partial Regex Parameter();
}
