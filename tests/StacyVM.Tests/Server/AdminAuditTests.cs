using System.Text.Json;
using Microsoft.Extensions.Time.Testing;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using StacyVM.Server.Audit;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>What is written down, and what is not.</summary>
public sealed class AdminAuditTests
{
    private const string Client = "client-key-of-some-length";
    private const string Admin = "admin-key-of-some-length";
    private const string Wrong = "wrong-key-of-some-length";

    private static readonly AuthOptions Keys = new() { ApiKey = Client, AdminApiKey = Admin, MaxFailedLoginsPerMinute = 0 };

    [Fact]
    public async Task A_row_has_every_field_and_no_secret()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        (int status, _) = await server.SendAsync(
            HttpMethod.Get, "admin/providers?token=query-canary", null,
            ("X-Admin-API-Key", Admin), ("User-Agent", "tester/1"), ("X-Request-ID", "req-7"), ("X-Tenant-ID", "acme"));
        Assert.Equal(200, status);
        (_, JsonElement rows) = await server.SendAsync(HttpMethod.Get, "admin/audit", null, ("X-Admin-API-Key", Admin));
        JsonElement row = Assert.Single(rows.EnumerateArray());
        Assert.Equal(
            ["id", "actor", "method", "path", "status", "duration_ms", "request_id", "remote_addr", "user_agent", "tenant_id", "created_at"],
            row.EnumerateObject().Select(field => field.Name));
        Assert.Equal("admin:X-Admin-API-Key", row.GetProperty("actor").GetString());
        Assert.Equal(("GET", "/api/v1/admin/providers", 200), (row.GetProperty("method").GetString(), row.GetProperty("path").GetString(), row.GetProperty("status").GetInt32()));
        Assert.Equal(("req-7", "127.0.0.1", "tester/1", "acme"),
            (row.GetProperty("request_id").GetString(), row.GetProperty("remote_addr").GetString(), row.GetProperty("user_agent").GetString(), row.GetProperty("tenant_id").GetString()));
        Assert.True(row.GetProperty("id").GetInt64() > 0 && row.GetProperty("duration_ms").GetInt64() >= 0 && row.GetProperty("created_at").GetDateTime() > DateTime.UtcNow.AddMinutes(-5));
        Assert.DoesNotContain("canary", rows.ToString());
        Assert.DoesNotContain("canary", server.Log.Text);
        Assert.DoesNotContain(Admin, rows.ToString() + server.Log.Text);
    }

    [Fact]
    public async Task Refused_calls_on_any_route_are_rows_and_allowed_ones_outside_the_admin_area_are_not()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Wrong), ("X-User-ID", "alice"));
        await server.SendAsync(HttpMethod.Get, "no/such");
        await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client));
        await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-API-Key", Client), ("Origin", "http://evil.example"));
        await server.SendAsync(HttpMethod.Get, "admin/providers", null, ("X-API-Key", Client), ("X-User-ID", "bob"));
        await server.SendAsync(HttpMethod.Get, "admin/no/such", null, ("X-API-Key", Admin));
        await server.SendAsync(HttpMethod.Options, "admin/providers");
        Assert.Equal(
            [
                ("admin:X-API-Key", "/api/v1/admin/no/such", 404),
                ("bob@api:X-API-Key", "/api/v1/admin/providers", 403),
                ("stranger", "/api/v1/sandboxes", 403),
                ("stranger", "/api/v1/no/such", 401),
                ("stranger", "/api/v1/sandboxes", 401),
            ],
            (await RowsAsync(server)).Select(row => (row.Actor, row.Path, row.Status)));
    }

    [Fact]
    public async Task A_claimed_user_stands_beside_the_key_and_cannot_pass_for_another()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client });
        foreach (string user in new[] { "alice", "admin:X-Admin-API-Key", "bob@admin:X-Admin-API-Key" })
            await server.SendAsync(HttpMethod.Get, "admin/providers", null, ("X-API-Key", Client), ("X-User-ID", user));
        List<AdminAuditRecord> rows = await RowsAsync(server);
        Assert.Equal(
            ["bob@admin:X-Admin-API-Key@api:X-API-Key", "admin:X-Admin-API-Key@api:X-API-Key", "alice@api:X-API-Key"], rows.Select(row => row.Actor));
        Assert.Single(await RowsAsync(server, new AuditFilter { Actor = "alice", Path = "/providers" }));
        Assert.Empty(await RowsAsync(server, new AuditFilter { Actor = "bob", Path = "/providers" }));
        Assert.Empty(await RowsAsync(server, new AuditFilter { Actor = "admin:X-API-Key", Path = "/providers" }));
    }

    [Fact]
    public async Task Filters_and_limits_are_those_of_the_contract()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        for (int i = 0; i < 3; i++)
            await server.SendAsync(HttpMethod.Get, $"admin/none-{i}", null, ("X-Admin-API-Key", Admin));
        await server.SendAsync(HttpMethod.Post, "admin/providers/test", null, ("X-Admin-API-Key", Admin));
        Assert.Equal("/api/v1/admin/providers/test", Assert.Single(await RowsAsync(server, new AuditFilter { Method = "post" })).Path);
        Assert.Equal(3, (await RowsAsync(server, new AuditFilter { Status = 404 })).Count);
        Assert.Equal("/api/v1/admin/none-1", Assert.Single(await RowsAsync(server, new AuditFilter { Path = "none-1" })).Path);
        Assert.Empty(await RowsAsync(server, new AuditFilter { Path = "none_1" }));
        Assert.Empty(await RowsAsync(server, new AuditFilter { Path = "%" }));
        Assert.Equal(2, (await RowsAsync(server, new AuditFilter { Limit = 2, Path = "none-" })).Count);
        Assert.NotEmpty(await RowsAsync(server, new AuditFilter { Limit = 100_000 }));
        Assert.Empty(await RowsAsync(server, new AuditFilter { Actor = "nobody" }));
        List<AdminAuditRecord> all = await RowsAsync(server);
        Assert.Equal(all.Select(row => row.Id).OrderDescending(), all.Select(row => row.Id));
        foreach (string query in new[] { "limit=0", "limit=-1", "limit=x", "status=0", "status=no", "format=xml" })
            Assert.Equal(400, (await server.SendAsync(HttpMethod.Get, "admin/audit?" + query, null, ("X-Admin-API-Key", Admin))).Status);
    }

    [Fact]
    public async Task Csv_has_the_header_of_the_contract_and_no_formula()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        await server.SendAsync(HttpMethod.Get, "admin/x", null, ("X-Admin-API-Key", Admin), ("User-Agent", "=HYPERLINK(\"http://evil\",1)"), ("X-User-ID", "@SUM(1)"));
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "admin/audit?format=csv", null, ("X-Admin-API-Key", Admin));
        Assert.Equal("text/csv; charset=utf-8", answer.Content.Headers.ContentType!.ToString());
        Assert.Equal("attachment; filename=\"stacyvm-admin-audit.csv\"", answer.Content.Headers.ContentDisposition!.ToString());
        string[] lines = (await answer.Content.ReadAsStringAsync()).Split('\n');
        Assert.Equal("id,created_at,actor,method,path,status,duration_ms,request_id,remote_addr,user_agent", lines[0]);
        Assert.Matches(@"^\d+,\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ,'@SUM\(1\)@admin:X-Admin-API-Key,GET,/api/v1/admin/x,404,\d+,[0-9a-f-]+,127\.0\.0\.1,""'=HYPERLINK\(""""http://evil"""",1\)""$", lines[1]);
        Assert.Equal(["", lines[1]], lines[1..].Order());
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("=1+1", "'=1+1")]
    [InlineData("+1", "'+1")]
    [InlineData("-1", "'-1")]
    [InlineData("@x", "'@x")]
    [InlineData("  =1", "'  =1")]
    [InlineData("\tx", "'\tx")]
    [InlineData("＝1", "'＝1")]
    [InlineData("a=b", "a=b")]
    [InlineData("a,b", "\"a,b\"")]
    [InlineData("a\"b\nc", "\"a\"\"b\nc\"")]
    public void A_cell_is_never_a_formula(string text, string cell) => Assert.Equal(cell, AuditCsv.Cell(text));

    [Fact]
    public async Task A_flood_of_refused_calls_is_bounded_counted_and_does_not_push_out_what_administrators_did()
    {
        var time = new FakeTimeProvider(DateTimeOffset.UtcNow);
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys, time: time);
        await server.SendAsync(HttpMethod.Get, "admin/providers", null, ("X-Admin-API-Key", Admin));
        for (int i = 0; i < 500; i++)
            await server.SendAsync(HttpMethod.Get, $"sandboxes/{i}", null, ("X-API-Key", Wrong), ("X-User-ID", $"u{i}"), ("X-Forwarded-For", $"198.51.100.{i % 250}"));
        Assert.Equal(RefusedCalls.MaxOfAddress, (await RowsAsync(server, new AuditFilter { Status = 401, Limit = 500 })).Count);
        time.Advance(TimeSpan.FromMinutes(2));
        AdminAuditRecord summary = (await RowsAsync(server, new AuditFilter { Status = 401, Limit = 500 }))[0];
        Assert.Equal(("server", $"{500 - RefusedCalls.MaxOfAddress} more refused calls, not listed one by one"), (summary.Actor, summary.Path));
        Assert.Equal(0, server.Engine.Store.DroppedRows);
        Assert.Contains(await RowsAsync(server, new AuditFilter { Limit = 500 }), row => row.Path == "/api/v1/admin/providers");
    }

    [Fact]
    public async Task Many_addresses_together_are_bounded_too_and_the_end_of_the_server_loses_no_count()
    {
        string directory = Directory.CreateTempSubdirectory("stacyvm-audit-").FullName;
        await using (RunningServer server = await RunningServer.StartAsync(options => options with { TrustedProxies = ["127.0.0.1"] }, Keys, directory: directory))
        {
            for (int i = 0; i < 400; i++)
                await server.SendAsync(HttpMethod.Get, "sandboxes", null, ("X-Forwarded-For", $"198.51.{i / 250}.{i % 250}"));
            Assert.Equal(RefusedCalls.MaxInAll, (await RowsAsync(server, new AuditFilter { Status = 401, Limit = 500 })).Count);
            await server.Server.StopAsync();
            IReadOnlyList<AdminAuditRecord> left = await server.Engine.Store.AdminAudit.ReadAsync(new(1), default);
            Assert.Equal("100 more refused calls, not listed one by one", left[0].Path);
        }
    }

    [Fact]
    public async Task A_path_of_control_characters_and_a_long_agent_are_made_harmless()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        await server.SendAsync(HttpMethod.Get, "admin/a%0Ab%1B%5B31m" + new string('x', 2_000), null, ("X-Admin-API-Key", Admin), ("User-Agent", new string('u', 4_000)));
        AdminAuditRecord row = (await RowsAsync(server))[0];
        Assert.StartsWith("/api/v1/admin/a?b?[31mxxx", row.Path);
        Assert.Equal((512, 256), (row.Path.Length, row.UserAgent.Length));
    }

    [Fact]
    public async Task A_ticket_in_a_query_is_in_neither_log()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        await server.SendAsync(HttpMethod.Get, "events?ticket=tkt_secret-canary");
        Assert.Equal("/api/v1/events", (await RowsAsync(server))[0].Path);
        Assert.DoesNotContain("canary", server.Log.Text);
    }

    [Fact]
    public async Task The_client_library_reads_the_audit_with_the_admin_key_only()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: Keys);
        using var client = new StacyClient(new StacyClientOptions { BaseUrl = $"http://127.0.0.1:{server.Port}", ApiKey = Client });
        Assert.Equal(ProblemKind.Forbidden, (await Assert.ThrowsAsync<ServerException>(() => client.AuditAsync())).Kind);
        using var admin = new StacyClient(new StacyClientOptions { BaseUrl = $"http://127.0.0.1:{server.Port}", ApiKey = Client, AdminApiKey = Admin, UserId = "alice" });
        Assert.Equal("api:X-API-Key", Assert.Single(await admin.AuditAsync()).Actor);
        Assert.Equal("alice@admin:X-Admin-API-Key", (await admin.AuditAsync(new AuditFilter { Limit = 1, Actor = "alice", Path = "a/b&c=d" })) is [] ? (await admin.AuditAsync(new AuditFilter { Limit = 1 }))[0].Actor : "");
        Assert.StartsWith("id,created_at,actor", await admin.AuditCsvAsync(new AuditFilter { Limit = 5 }));
    }

    private static async Task<List<AdminAuditRecord>> RowsAsync(RunningServer server, AuditFilter? filter = null)
    {
        string key = server.Server.NeedsKey ? Admin : "";
        using var client = new StacyClient(new StacyClientOptions { BaseUrl = $"http://127.0.0.1:{server.Port}", AdminApiKey = key, ApiKey = Client });
        // What this method asks for is not what a test is about.
        return [.. (await client.AuditAsync(filter)).Where(row => row.Path != "/api/v1/admin/audit")];
    }
}
