using System.Text.Json;
using StacyVM.Server.Security;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Every route of the running server, asked by everyone there is, against the one written table.</summary>
public sealed class RouteScopeTests
{
    private const string Client = "client-key-of-some-length";
    private const string Admin = "admin-key-of-some-length";
    private const string Wrong = "wrong-key-of-some-length";

    private static readonly IReadOnlyDictionary<string, string[]> ScopesOfRoles = new Dictionary<string, string[]>
    {
        ["none"] = [],
        ["viewer"] = ["read:*"],
        ["api"] = ["read:*", "api:*"],
        ["operator"] = ["read:*", "api:*", "operator:*"],
        ["admin"] = ["read:*", "api:*", "operator:*", "admin:*"],
        ["anonymous"] = ["read:*", "api:*", "operator:*", "admin:*"],
    };

    [Fact]
    public async Task Every_route_stands_in_the_table_and_every_line_is_a_route()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        var routes = ServerRoutes.Of(server.Server);
        Assert.All(routes, route => Assert.True(route.Access is not null, $"{route.Method} {route.Pattern} has no rule"));
        string[] found = [.. routes.Select(route => Line($"{route.Method} {route.Pattern}", route.Access!.Scope ?? RouteScopes.Open, ExceptionOf(route.Access))).Order()];
        string[] written = [.. RouteScopes.All.Select(line => Line(line.Key, line.Value.Scope, line.Value.Exception)).Order()];
        Assert.True(found.Except(written).Count() == 0, "not in the table:\n" + string.Join('\n', found.Except(written)));
        Assert.True(written.Except(found).Count() == 0, "in the table only:\n" + string.Join('\n', written.Except(found)));
    }

    [Fact]
    public void Roles_have_the_scopes_of_the_contract()
    {
        foreach ((string role, string[] scopes) in ScopesOfRoles)
            Assert.Equal(scopes, Scopes.Of(role));
        Assert.Empty(Scopes.Of("worker"));
        Assert.Empty(Scopes.Of(""));
    }

    public static TheoryData<string, string, string> Callers => new()
    {
        { "none", "", "" },
        { "none", "X-API-Key", Wrong },
        { "none", "X-Admin-API-Key", Wrong },
        { "none", "Authorization", "Bearer " + Wrong },
        { "none", "Authorization", "Basic " + Admin },
        { "none", "X-User-ID", "admin" },
        { "api", "X-API-Key", Client },
        { "api", "X-Admin-API-Key", Client },
        { "api", "Authorization", "Bearer " + Client },
        { "admin", "X-API-Key", Admin },
        { "admin", "X-Admin-API-Key", Admin },
        { "admin", "Authorization", "Bearer " + Admin },
    };

    [Theory]
    [MemberData(nameof(Callers))]
    public async Task Every_route_lets_in_whom_the_table_lets_in(string role, string header, string value)
    {
        await using RunningServer server = await RunningServer.StartAsync(
            auth: new() { ApiKey = Client, AdminApiKey = Admin, MaxFailedLoginsPerMinute = 0 });
        await WalkAsync(server, role, header, value, scope => role == "none" ? 401 : scope is "admin:*" or "operator:*" ? 403 : 0);
    }

    [Theory]
    [InlineData(true, 0)]
    [InlineData(false, 403)]
    public async Task Without_an_admin_key_the_client_key_stands_in_for_it_where_that_is_allowed(bool fallback, int refusal)
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client, AdminFallbackEnabled = fallback });
        await WalkAsync(server, "api", "X-API-Key", Client, scope => scope is "admin:*" or "operator:*" ? refusal : 403, adminToo: fallback);
    }

    [Fact]
    public async Task On_an_open_server_everybody_may_everything()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await WalkAsync(server, "anonymous", "", "", _ => 0);
    }

    [Fact]
    public async Task Owners_get_at_their_own_where_the_table_says_so_and_at_nothing_of_others()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client, AdminApiKey = Admin });
        List<string> faults = [];
        foreach ((string method, string pattern, _) in ServerRoutes.Of(server.Server).Where(route => route.Pattern.Contains("{owner}")))
        {
            foreach ((string owner, bool own) in new[] { ("no-such-thing", true), ("mallory", false) })
            {
                using HttpRequestMessage request = ServerRoutes.Request(method, pattern);
                request.Headers.Add("X-API-Key", Client);
                request.Headers.Add("X-User-ID", owner);
                using HttpResponseMessage answer = await server.Http.SendAsync(request);
                bool allowed = own && RouteScopes.All[$"{method} {pattern}"].Exception == "owner:read:*";
                if (allowed == answer.StatusCode is System.Net.HttpStatusCode.Forbidden)
                    faults.Add($"{method} {pattern} for {owner} answered {(int)answer.StatusCode}");
            }
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
    }

    /// <summary>Viewers and operators come with other ways to log in; the rule that they meet is the same.</summary>
    [Theory]
    [InlineData("viewer")]
    [InlineData("operator")]
    public async Task Roles_without_a_key_meet_the_same_rule(string role)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        var identity = new Identity(new(role, null, null, role), Known: true);
        foreach ((string method, string pattern, RouteAccess? access) in ServerRoutes.Of(server.Server))
        {
            string scope = RouteScopes.All[$"{method} {pattern}"].Scope;
            bool expected = scope == RouteScopes.Open || ScopesOfRoles[role].Contains(scope);
            Assert.True(expected == (access!.Scope is null || identity.Scopes.Contains(access.Scope)), $"{role} on {method} {pattern}");
        }
    }

    private static async Task WalkAsync(RunningServer server, string role, string header, string value, Func<string, int> refusalOf, bool adminToo = false)
    {
        int walked = 0;
        List<string> faults = [];
        foreach ((string method, string pattern, _) in ServerRoutes.Of(server.Server))
        {
            string scope = RouteScopes.All[$"{method} {pattern}"].Scope;
            bool allowed = scope == RouteScopes.Open || ScopesOfRoles[role].Contains(scope) || (adminToo && scope is "admin:*" or "operator:*");
            using HttpRequestMessage request = ServerRoutes.Request(method, pattern);
            if (header.Length > 0)
                request.Headers.TryAddWithoutValidation(header, value);
            using HttpResponseMessage answer = await server.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            int status = (int)answer.StatusCode;
            bool refused = status is 401 or 403;
            if (refused == allowed || (refused && status != refusalOf(scope)))
                faults.Add($"{method} {pattern} ({scope}) answered {status}");
            if (refused && method != "HEAD")
                Assert.Equal(status == 401 ? "UNAUTHORIZED" : "FORBIDDEN", JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement.GetProperty("code").GetString());
            walked++;
        }
        Assert.True(faults.Count == 0, string.Join('\n', faults));
        Assert.True(walked >= 39, $"only {walked} routes");
    }

    private static string Line(string route, string scope, string exception) => $"{route} {scope} {exception}".TrimEnd();

    private static string ExceptionOf(RouteAccess access) => access.TakesTicket ? "ticket" : access.TakesScrapeToken ? "scrape" : access.OwnerScope is { } scope ? $"owner:{scope}" : "";
}
