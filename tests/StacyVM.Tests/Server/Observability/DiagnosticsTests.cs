using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Server.Observability;

/// <summary>Diagnostics and metrics, field by field, and what they cost.</summary>
public sealed class DiagnosticsTests
{
    private const string Client = "client-key-of-some-length";
    private const string Token = "scrape-token-of-some-length";

    /// <summary>Path of a field → kind of its value; what is not here must not be there.</summary>
    private static readonly Dictionary<string, string> Shared = new()
    {
        ["sandboxes.total"] = "int",
        ["sandboxes.active"] = "int",
        ["sandboxes.by_state"] = "object",
        ["sandboxes.by_provider"] = "object",
        ["sandboxes.by_worker"] = "object",
        ["workers.total"] = "int",
        ["workers.online"] = "int",
        ["workers.stale"] = "int",
        ["workers.unhealthy"] = "int",
        ["workers.items"] = "array",
        ["leases.total"] = "int",
        ["leases.active"] = "int",
        ["leases.expired"] = "int",
        ["leases.by_holder"] = "object",
        ["events.subscribers"] = "int",
        ["events.history_size"] = "int",
        ["events.events_total"] = "int",
        ["operations"] = "array",
        ["quotas.total"] = "int",
        ["quotas.with_max_sandboxes"] = "int",
        ["quotas.with_max_ttl"] = "int",
        ["quotas.with_max_exec_timeout"] = "int",
        ["rate_limit.enabled"] = "bool",
        ["rate_limit.requests_per_minute"] = "int",
        ["rate_limit.burst"] = "int",
        ["rate_limit.key_by"] = "string",
        ["rate_limit.active_buckets"] = "int",
        ["rate_limit.allowed_total"] = "int",
        ["rate_limit.limited_total"] = "int",
        ["rate_limit.evicted_total"] = "int",
        ["rate_limit.bucket_ttl"] = "duration",
        ["rate_limit.cleanup_interval"] = "duration",
        ["scheduler.spawn_overflow"] = "string",
        ["scheduler.spawn_queue_depth"] = "int",
        ["scheduler.max_spawn_queue"] = "int",
        ["scheduler.spawn_queue_timeout"] = "duration",
        ["scheduler.admission_control"] = "string",
        ["scheduler.worker_id"] = "string",
        ["scheduler.selected_worker_id"] = "string",
        ["scheduler.eligible_workers"] = "int",
        ["scheduler.spawn_queued_total"] = "int",
        ["scheduler.spawn_dequeued_total"] = "int",
        ["scheduler.spawn_queue_timeouts"] = "int",
        ["scheduler.spawn_queue_wait_count"] = "int",
        ["scheduler.spawn_queue_wait_total"] = "duration",
        ["scheduler.spawn_queue_wait_max"] = "duration",
        ["scheduler.spawn_queue_wait_avg"] = "duration",
        ["scheduler.spawn_queue_wait_total_ms"] = "int",
        ["scheduler.spawn_queue_wait_max_ms"] = "int",
        ["scheduler.spawn_queue_wait_avg_ms"] = "int",
    };

    private static readonly Dictionary<string, string> Diagnostics = new(Shared)
    {
        ["generated_at"] = "time",
        ["build.version"] = "string",
        ["build.goos"] = "string",
        ["build.goarch"] = "string",
        ["process.uptime"] = "duration",
        ["process.goroutines"] = "int",
        ["process.memory.alloc"] = "int",
        ["process.memory.sys"] = "int",
        ["process.memory.heap_alloc"] = "int",
        ["process.memory.gc_cycles"] = "int",
        ["store.healthy"] = "bool",
        ["store.latency_ms"] = "int",
        ["limits.max_sandboxes"] = "int",
        ["limits.max_sandboxes_per_owner"] = "int",
        ["limits.default_exec_timeout"] = "duration",
        ["limits.max_exec_timeout"] = "duration",
        ["limits.max_ttl"] = "duration",
        ["limits.spawn_overflow"] = "string",
        ["limits.spawn_queue_timeout"] = "duration",
        ["limits.max_spawn_queue"] = "int",
        ["providers"] = "array",
        ["remediation"] = "object",
        ["redactions"] = "array",
    };

    private static readonly Dictionary<string, string> Metrics = new(Shared)
    {
        ["uptime"] = "duration",
        ["goroutines"] = "int",
        ["memory_alloc"] = "int",
        ["memory_sys"] = "int",
        ["memory_heap_alloc"] = "int",
        ["gc_cycles"] = "int",
        ["providers.total"] = "int",
        ["providers.healthy"] = "int",
        ["providers.items"] = "array",
    };

    private static readonly Dictionary<string, string> Operation = new()
    {
        ["operation"] = "string",
        ["provider"] = "string",
        ["success_total"] = "int",
        ["failure_total"] = "int",
        ["latency_count"] = "int",
        ["latency_total_ms"] = "int",
        ["latency_min_ms"] = "int",
        ["latency_max_ms"] = "int",
        ["latency_avg_ms"] = "int",
        ["last_observed_unix"] = "int",
    };

    private static readonly Dictionary<string, string> Worker = new()
    {
        ["id"] = "string",
        ["hostname"] = "string",
        ["status"] = "string",
        ["providers"] = "array",
        ["capabilities"] = "array",
        ["capacity.max_sandboxes"] = "int",
        ["capacity.max_sandboxes_per_owner"] = "int",
        ["capacity.default_exec_timeout"] = "duration",
        ["capacity.max_exec_timeout"] = "duration",
        ["capacity.max_ttl"] = "duration",
        ["capacity.spawn_overflow"] = "string",
        ["capacity.spawn_queue_timeout"] = "duration",
        ["capacity.max_spawn_queue"] = "int",
        ["last_heartbeat"] = "time",
        ["created_at"] = "time",
        ["updated_at"] = "time",
        ["stale"] = "bool",
    };

    [Fact]
    public async Task Every_field_is_there_with_its_type_and_no_other()
    {
        await using RunningServer server = await BusyAsync();

        Fields.Check((await server.SendAsync(HttpMethod.Get, "diagnostics")).Body, Diagnostics);
        JsonElement metrics = (await server.SendAsync(HttpMethod.Get, "metrics")).Body;
        Fields.Check(metrics, Metrics);
        Fields.Check(metrics.GetProperty("operations")[0], Operation);
        foreach (string path in (string[])["workers", "workers/local"])
        {
            JsonElement body = (await server.SendAsync(HttpMethod.Get, path)).Body;
            Fields.Check(body.ValueKind == JsonValueKind.Array ? Assert.Single(body.EnumerateArray()) : body, Worker);
        }
    }

    [Fact]
    public async Task Numbers_are_those_of_the_server()
    {
        await using RunningServer server = await BusyAsync();
        JsonElement body = (await server.SendAsync(HttpMethod.Get, "diagnostics")).Body;

        Assert.Equal("linux", body.GetProperty("build").GetProperty("goos").GetString());
        Assert.Equal("""{"total":2,"active":2,"by_state":{"running":2},"by_provider":{"scripted":2},"by_worker":{"local":2}}""", body.GetProperty("sandboxes").GetRawText());
        Assert.Equal(["exec", "file_read", "file_write", "spawn"], body.GetProperty("operations").EnumerateArray().Select(row => row.GetProperty("operation").GetString()));
        JsonElement read = body.GetProperty("operations")[1];
        Assert.Equal((0, 1), (read.GetProperty("success_total").GetInt32(), read.GetProperty("failure_total").GetInt32()));
        Assert.NotEmpty(read.GetProperty("last_error").GetString()!);
        Assert.True(body.GetProperty("store").GetProperty("healthy").GetBoolean());
        Assert.True(body.GetProperty("events").GetProperty("events_total").GetInt32() >= 4);
        Assert.Equal("0s", body.GetProperty("limits").GetProperty("default_exec_timeout").GetString());
        Assert.Equal("24h0m0s", body.GetProperty("limits").GetProperty("max_ttl").GetString());
        Assert.Equal(10, body.GetProperty("remediation").EnumerateObject().Count());
        foreach (JsonProperty document in body.GetProperty("remediation").EnumerateObject())
            Assert.True(File.Exists(Path.Combine(SourceTree.Root, document.Value.GetString()!)), $"{document.Name} points at {document.Value}, which is not there");
        Assert.Equal(4, body.GetProperty("redactions").GetArrayLength());
    }

    [Fact]
    public async Task Nothing_done_yet_is_empty_lists_and_zeros()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement body = (await server.SendAsync(HttpMethod.Get, "metrics")).Body;
        Assert.Equal("[]", body.GetProperty("operations").GetRawText());
        Assert.Equal("""{"total":0,"active":0,"by_state":{},"by_provider":{},"by_worker":{}}""", body.GetProperty("sandboxes").GetRawText());
        Assert.Equal("""{"total":0,"active":0,"expired":0,"by_holder":{}}""", body.GetProperty("leases").GetRawText());
    }

    [Fact]
    public async Task A_scrape_asks_no_level_and_writes_nothing()
    {
        await using RunningServer server = await BusyAsync();
        await server.Engine.Store.FlushAsync();
        int questions = server.Provider.Questions;
        long total = server.Engine.Events.Numbers.Total;

        for (int i = 0; i < 50; i++)
        {
            foreach (string path in (string[])["metrics", "metrics/prometheus", "diagnostics", "ready", "workers"])
            {
                using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, path);
                Assert.Equal(200, (int)answer.StatusCode);
            }
        }

        Assert.Equal(questions, server.Provider.Questions);
        Assert.Equal(total, server.Engine.Events.Numbers.Total);
    }

    [Theory]
    [InlineData("metrics", 200)]
    [InlineData("metrics/prometheus", 200)]
    [InlineData("diagnostics", 401)]
    [InlineData("sandboxes", 401)]
    [InlineData("admin/providers", 401)]
    [InlineData("workers", 401)]
    [InlineData("system/stats", 401)]
    public async Task The_token_of_monitoring_opens_metrics_alone(string path, int status)
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new AuthOptions { ApiKey = Client, MetricsToken = Token });
        foreach ((string, string) header in ((string, string)[])[("Authorization", $"Bearer {Token}"), ("X-API-Key", Token), ("X-Admin-API-Key", Token)])
        {
            using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, path, null, header);
            Assert.Equal(status, (int)answer.StatusCode);
        }
        using HttpResponseMessage key = await server.AnswerAsync(HttpMethod.Get, "metrics", null, ("X-API-Key", Client));
        Assert.Equal(200, (int)key.StatusCode);
        using HttpResponseMessage none = await server.AnswerAsync(HttpMethod.Get, "metrics");
        Assert.Equal(401, (int)none.StatusCode);
        Assert.DoesNotContain(Token, server.Log.Text);
    }

    private static async Task<RunningServer> BusyAsync()
    {
        RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        await server.SpawnAsync();
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"echo hello"}""")).Status);
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/files", """{"path":"/a","content":"b"}""")).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/files?path=/none")).Status);
        // Waits for the first probe of the level, so that later questions come from memory.
        Assert.Equal(200, (await server.SendAsync(HttpMethod.Get, "ready")).Status);
        return server;
    }
}
