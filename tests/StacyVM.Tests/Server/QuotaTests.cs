using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Admission, quotas and the spawn queue over HTTP.</summary>
public sealed class QuotaTests
{
    private const string Client = "client-key-of-some-length";
    private const string Admin = "admin-key-of-some-length";
    private static readonly (string, string) AdminKey = ("X-API-Key", Admin);
    private static readonly (string, string) ClientKey = ("X-API-Key", Client);

    [Fact]
    public async Task Admission_has_exactly_the_fields_that_the_SDKs_know()
    {
        await using RunningServer server = await RunningServer.StartAsync(defaults: new() { MaxSandboxes = 2, MaxSandboxesPerOwner = 1 });
        Assert.Equal("""{"allowed":true,"queueable":false,"active_sandboxes":0,"max_sandboxes":2,"max_ttl":"24h0m0s"}""", await AdmissionAsync(server, "{}"));
        Assert.Equal(
            """{"allowed":true,"queueable":false,"active_sandboxes":0,"max_sandboxes":2,"max_owner_sandboxes":1,"max_ttl":"24h0m0s"}""",
            await AdmissionAsync(server, """{"owner_id":"ada","image":"alpine:latest","memory_mb":64,"vcpus":1,"ttl":"1h","metadata":{"a":"b"}}"""));
        await server.SendAsync(HttpMethod.Post, "sandboxes", """{"owner_id":"ada"}""");
        Assert.Equal(
            """{"allowed":false,"queueable":false,"reason":"max_sandboxes_per_owner","active_sandboxes":1,"max_sandboxes":2,"active_owner_sandboxes":1,"max_owner_sandboxes":1,"max_ttl":"24h0m0s"}""",
            await AdmissionAsync(server, """{"owner_id":"bob"}""", "", ("X-User-ID", "ada")));
        Assert.Equal(
            """{"allowed":false,"queueable":false,"reason":"max_ttl","active_sandboxes":0,"max_sandboxes":2,"max_ttl":"24h0m0s"}""",
            await AdmissionAsync(server, """{"ttl":"25h"}"""));
        await server.SpawnAsync();
        Assert.Equal(
            """{"allowed":false,"queueable":false,"reason":"max_sandboxes","active_sandboxes":2,"max_sandboxes":2,"max_ttl":"24h0m0s","selected_worker_id":"local","eligible_workers":1,"worker_reason":"local_fallback"}""",
            await AdmissionAsync(server, "{}", "?include=placement"));
        foreach (string bad in (string[])["""{"ttl":"soon"}""", """{"ttl":"0s"}""", """{"owner_id":"a b"}""", """{"vcpus":-1}""", """{"image":"--x"}""", "nothing"])
            Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, "sandboxes/admission", bad)).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "sandboxes/admission", """{"provider":"nowhere"}""")).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, "sandboxes/admission")).Status);
    }

    [Fact]
    public async Task A_quota_is_put_read_listed_used_and_deleted()
    {
        await using RunningServer server = await RunningServer.StartAsync(defaults: new() { MaxSandboxesPerOwner = 2 });
        Assert.Equal("[]", (await server.SendAsync(HttpMethod.Get, "quotas")).Body.GetRawText());
        (int status, JsonElement put) = await server.SendAsync(
            HttpMethod.Put, "quotas/ada", """{"owner_id":"mallory","max_sandboxes":5,"max_ttl":"90m","max_exec_timeout":"","unknown":1}""");
        Assert.Equal(200, status);
        Assert.Equal(["owner_id", "max_sandboxes", "max_ttl", "max_exec_timeout", "created_at", "updated_at"], put.EnumerateObject().Select(field => field.Name));
        Assert.Equal(("ada", 5, "1h30m0s", "0s"), (Text(put, "owner_id"), put.GetProperty("max_sandboxes").GetInt32(), Text(put, "max_ttl"), Text(put, "max_exec_timeout")));
        await server.SendAsync(HttpMethod.Put, "quotas/Zed/", "{}");
        Assert.Equal(["Zed", "ada"], (await server.SendAsync(HttpMethod.Get, "quotas/")).Body.EnumerateArray().Select(quota => Text(quota, "owner_id")));
        Assert.Equal(put.GetRawText(), (await server.SendAsync(HttpMethod.Get, "admin/quotas/ada")).Body.GetRawText());
        Assert.Equal(
            """{"total":2,"with_max_sandboxes":1,"with_max_ttl":1,"with_max_exec_timeout":0}""",
            (await server.SendAsync(HttpMethod.Get, "quotas/summary")).Body.GetRawText());
        await server.SendAsync(HttpMethod.Post, "sandboxes", """{"owner_id":"ada"}""");
        Assert.Equal(
            """{"owner_id":"ada","active_sandboxes":1,"max_sandboxes":5,"max_ttl":"1h30m0s","max_exec_timeout":"10m0s","quota_configured":true}""",
            (await server.SendAsync(HttpMethod.Get, "quotas/ada/usage")).Body.GetRawText());
        Assert.Equal(
            """{"owner_id":"bob","active_sandboxes":0,"max_sandboxes":2,"max_ttl":"24h0m0s","max_exec_timeout":"10m0s","quota_configured":false}""",
            (await server.SendAsync(HttpMethod.Get, "admin/quotas/bob/usage")).Body.GetRawText());
        Assert.Equal("""{"status":"deleted"}""", (await server.SendAsync(HttpMethod.Delete, "quotas/ada")).Body.GetRawText());
        foreach (HttpMethod method in (HttpMethod[])[HttpMethod.Get, HttpMethod.Delete])
        {
            (status, JsonElement gone) = await server.SendAsync(method, "quotas/ada");
            Assert.Equal((404, "NOT_FOUND"), (status, Text(gone, "code")));
        }
    }

    [Theory]
    [InlineData("a%2Fb", "{}")]
    [InlineData("a%20b", "{}")]
    [InlineData("a%5Cb", "{}")]
    [InlineData("ada", """{"max_sandboxes":-1}""")]
    [InlineData("ada", """{"max_sandboxes":"5"}""")]
    [InlineData("ada", """{"max_ttl":"999ms"}""")]
    [InlineData("ada", """{"max_exec_timeout":"-5s"}""")]
    [InlineData("ada", "[]")]
    public async Task A_bad_quota_is_refused(string owner, string body)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Put, $"quotas/{owner}", body);
        Assert.Equal((400, "BAD_REQUEST"), (status, Text(answer, "code")));
    }

    [Fact]
    public async Task Owners_may_know_their_own_and_only_administrators_the_others_and_change_them()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new() { ApiKey = Client, AdminApiKey = Admin });
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Put, "quotas/ada", """{"max_sandboxes":5}""", AdminKey)).Status);
        (string, string) ada = ("X-User-ID", "ada");
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "quotas/ada", null, ClientKey, ada)).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "quotas/ada/usage", null, ClientKey, ada)).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "quotas/summary", null, ClientKey)).Status);
        foreach ((HttpMethod method, string path) in (IEnumerable<(HttpMethod, string)>)
            [(HttpMethod.Get, "quotas"), (HttpMethod.Get, "quotas/bob"), (HttpMethod.Get, "quotas/bob/usage"), (HttpMethod.Put, "quotas/ada"),
             (HttpMethod.Delete, "quotas/ada"), (HttpMethod.Get, "admin/quotas/ada"), (HttpMethod.Get, "admin/quotas/summary")])
        {
            string? body = method == HttpMethod.Put ? "{}" : null;
            (int status, JsonElement refused) = await server.SendAsync(method, path, body, ClientKey, ada);
            Assert.Equal((403, "FORBIDDEN"), (status, Text(refused, "code")));
            Assert.Equal(401, (await server.SendAsync(method, path, body)).Status);
        }
        Assert.Equal(403, (await server.SendAsync(HttpMethod.Get, "quotas/ada", null, ClientKey)).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "quotas/ada", null, AdminKey)).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Delete, "admin/quotas/ada", null, AdminKey)).Status);
    }

    [Fact]
    public async Task At_the_global_limit_a_spawn_waits_for_the_next_free_place()
    {
        await using RunningServer server = await RunningServer.StartAsync(defaults: Queued);
        string first = await server.SpawnAsync();
        Assert.Contains("\"allowed\":false,\"queueable\":true,\"reason\":\"max_sandboxes\"", await AdmissionAsync(server, "{}"));
        Task<(int Status, JsonElement Body)> waiting = server.SendAsync(HttpMethod.Post, "sandboxes", "{}");
        await DepthAsync(server, 1);
        Assert.False(waiting.IsCompleted);

        await server.SendAsync(HttpMethod.Delete, $"sandboxes/{first}");

        Assert.Equal((201, "running"), ((await waiting).Status, Text((await waiting).Body, "state")));
        Assert.Single((await server.SendAsync(HttpMethod.Get, "sandboxes")).Body.EnumerateArray());
    }

    [Fact]
    public async Task A_full_queue_and_a_long_wait_are_429()
    {
        await using RunningServer server = await RunningServer.StartAsync(defaults: Queued with { MaxSpawnQueue = 1, SpawnQueueTimeout = TimeSpan.FromSeconds(1) });
        await server.SpawnAsync();
        Task<(int Status, JsonElement Body)> waiting = server.SendAsync(HttpMethod.Post, "sandboxes", "{}");
        await DepthAsync(server, 1);
        (int status, JsonElement full) = await server.SendAsync(HttpMethod.Post, "sandboxes", "{}");
        Assert.Equal((429, "RESOURCE_LIMIT"), (status, Text(full, "code")));
        Assert.Contains("spawn queue full (1)", Text(full, "message"));
        (status, JsonElement late) = await waiting;
        Assert.Equal((429, "RESOURCE_LIMIT"), (status, Text(late, "code")));
        Assert.Contains("spawn queue timeout after 1s", Text(late, "message"));
    }

    [Fact]
    public async Task A_client_that_hangs_up_leaves_the_queue_and_its_place_to_the_next()
    {
        await using RunningServer server = await RunningServer.StartAsync(defaults: Queued);
        string first = await server.SpawnAsync();
        using (HttpClient client = server.NewClient())
        using (var patience = new CancellationTokenSource())
        {
            Task<HttpResponseMessage> leaving = client.PostAsync("sandboxes", new StringContent("{}"), patience.Token);
            await DepthAsync(server, 1);
            await patience.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => leaving);
        }
        await DepthAsync(server, 0);
        await server.SendAsync(HttpMethod.Delete, $"sandboxes/{first}");
        await server.SpawnAsync();
        Assert.Equal(1, server.Engine.Admission.QueueNumbers.Abandoned);
    }

    [Fact]
    public async Task A_stop_of_the_server_answers_those_who_wait_at_once()
    {
        RunningServer server = await RunningServer.StartAsync(defaults: Queued);
        await using (server)
        {
            await server.SpawnAsync();
            Task<(int Status, JsonElement Body)> waiting = server.SendAsync(HttpMethod.Post, "sandboxes", "{}");
            await DepthAsync(server, 1);
            await server.Server.StopAsync();
            Assert.Equal((503, "UNAVAILABLE"), ((await waiting).Status, Text((await waiting).Body, "code")));
        }
    }

    [Fact]
    public async Task The_SDK_knows_admission_and_quotas()
    {
        await using RunningServer server = await RunningServer.StartAsync(defaults: new() { MaxSandboxes = 1 });
        using var client = new StacyClient($"http://127.0.0.1:{server.Port}");
        Assert.True((await client.AdmissionAsync()).Allowed);
        await client.SpawnAsync(new SpawnRequest { OwnerId = "ada" });
        SpawnAdmissionDecision decision = await client.AdmissionAsync(new SpawnRequest { OwnerId = "ada" }, placement: true);
        Assert.Equal((false, AdmissionReasons.MaxSandboxes, 1, "local"), (decision.Allowed, decision.Reason, decision.ActiveSandboxes, decision.SelectedWorkerId));
        QuotaInfo saved = await client.SaveQuotaAsync("ada:1&2", new QuotaRequest { MaxSandboxes = 3, MaxExecTimeout = "1m" });
        Assert.Equal(saved, await client.QuotaAsync("ada:1&2"));
        Assert.Equal("ada:1&2", Assert.Single(await client.QuotasAsync()).OwnerId);
        Assert.Equal(new QuotaSummary { Total = 1, WithMaxSandboxes = 1, WithMaxTtl = 0, WithMaxExecTimeout = 1 }, await client.QuotaSummaryAsync());
        Assert.Equal((1, 0, "1m0s"), ((await client.QuotaUsageAsync("ada")).ActiveSandboxes, (await client.QuotaUsageAsync("ada")).MaxSandboxes, (await client.QuotaUsageAsync("ada:1&2")).MaxExecTimeout));
        await client.DeleteQuotaAsync("ada:1&2");
        await Assert.ThrowsAsync<NotFoundException>(() => client.QuotaAsync("ada:1&2"));
    }

    private static DefaultsOptions Queued => new() { MaxSandboxes = 1, SpawnOverflow = DefaultsOptions.Queue };

    private static async Task<string> AdmissionAsync(RunningServer server, string body, string query = "", params (string, string)[] headers)
    {
        (int status, JsonElement decision) = await server.SendAsync(HttpMethod.Post, "sandboxes/admission" + query, body, headers);
        Assert.Equal(200, status);
        return decision.GetRawText();
    }

    private static async Task DepthAsync(RunningServer server, int depth)
    {
        for (int i = 0; server.Engine.Admission.QueueNumbers.Depth != depth; i++)
        {
            Assert.True(i < 1_000, $"the queue has {server.Engine.Admission.QueueNumbers.Depth} waiting, not {depth}");
            await Task.Delay(10);
        }
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
