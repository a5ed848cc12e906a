using StacyVM.Protocol.Rest;
using StacyVM.Server.Observability;
using Xunit;

namespace StacyVM.Tests.Server.Observability;

/// <summary>The page that monitoring reads.</summary>
public sealed class PrometheusTests
{
    [Theory]
    [InlineData("stacyvm_uptime_seconds", "gauge", "")]
    [InlineData("stacyvm_runtime_goroutines", "gauge", "")]
    [InlineData("stacyvm_runtime_memory_alloc_bytes", "gauge", "")]
    [InlineData("stacyvm_runtime_memory_sys_bytes", "gauge", "")]
    [InlineData("stacyvm_runtime_gc_cycles_total", "counter", "")]
    [InlineData("stacyvm_sandboxes_total", "gauge", "{state=running}")]
    [InlineData("stacyvm_sandboxes_by_provider_total", "gauge", "{provider=scripted}")]
    [InlineData("stacyvm_sandboxes_by_worker_total", "gauge", "{worker=local}")]
    [InlineData("stacyvm_provider_healthy", "gauge", "{default=true,provider=scripted}")]
    [InlineData("stacyvm_provider_health_latency_milliseconds", "gauge", "{provider=scripted}")]
    [InlineData("stacyvm_provider_runtime_sandboxes", "gauge", "{provider=scripted}")]
    [InlineData("stacyvm_workers_total", "gauge", "{status=total} {status=online} {status=stale} {status=unhealthy}")]
    [InlineData("stacyvm_leases_total", "gauge", "{status=total} {status=active} {status=expired}")]
    [InlineData("stacyvm_events_total", "counter", "")]
    [InlineData("stacyvm_event_subscribers", "gauge", "")]
    [InlineData("stacyvm_event_history_size", "gauge", "")]
    [InlineData("stacyvm_spawn_queue_depth", "gauge", "")]
    [InlineData("stacyvm_spawn_queue_capacity", "gauge", "")]
    [InlineData("stacyvm_spawn_queue_enqueued_total", "counter", "")]
    [InlineData("stacyvm_spawn_queue_dequeued_total", "counter", "")]
    [InlineData("stacyvm_spawn_queue_timeout_total", "counter", "")]
    [InlineData("stacyvm_spawn_queue_wait_milliseconds_sum", "counter", "")]
    [InlineData("stacyvm_spawn_queue_wait_milliseconds_count", "counter", "")]
    [InlineData("stacyvm_spawn_queue_wait_milliseconds_max", "gauge", "")]
    [InlineData("stacyvm_owner_quotas_total", "gauge", "")]
    [InlineData("stacyvm_owner_quota_overrides_total", "gauge", "{type=max_sandboxes} {type=max_ttl} {type=max_exec_timeout}")]
    [InlineData("stacyvm_rate_limit_allowed_total", "counter", "")]
    [InlineData("stacyvm_rate_limit_blocked_total", "counter", "")]
    [InlineData("stacyvm_rate_limit_evicted_buckets_total", "counter", "")]
    [InlineData("stacyvm_rate_limit_active_buckets", "gauge", "")]
    [InlineData("stacyvm_operation_success_total", "counter", "{operation=spawn,provider=scripted}")]
    [InlineData("stacyvm_operation_failure_total", "counter", "{operation=spawn,provider=scripted}")]
    [InlineData("stacyvm_operation_latency_milliseconds_sum", "counter", "{operation=spawn,provider=scripted}")]
    [InlineData("stacyvm_operation_latency_milliseconds_count", "counter", "{operation=spawn,provider=scripted}")]
    [InlineData("stacyvm_operation_latency_milliseconds_max", "gauge", "{operation=spawn,provider=scripted}")]
    public async Task A_family_has_its_type_and_its_labels(string family, string type, string labels)
    {
        PrometheusParser page = await PageAsync();

        Assert.Equal(type, page.Types.GetValueOrDefault(family));
        foreach (string series in labels.Split(' '))
            Assert.Contains(family + series, page.Series.Keys);
    }

    [Fact]
    public async Task Values_are_those_of_the_server()
    {
        PrometheusParser page = await PageAsync();

        Assert.Equal(1, page.Series["stacyvm_sandboxes_total{state=running}"]);
        Assert.Equal(1, page.Series["stacyvm_provider_healthy{default=true,provider=scripted}"]);
        Assert.Equal(1, page.Series["stacyvm_workers_total{status=online}"]);
        Assert.Equal(1, page.Series["stacyvm_operation_success_total{operation=spawn,provider=scripted}"]);
        Assert.Equal(0, page.Series["stacyvm_operation_failure_total{operation=spawn,provider=scripted}"]);
        Assert.True(page.Series["stacyvm_runtime_goroutines"] > 1);
        Assert.True(page.Series["stacyvm_runtime_memory_sys_bytes"] > page.Series["stacyvm_runtime_memory_alloc_bytes"]);
        Assert.Equal(35, page.Types.Count);
    }

    [Fact]
    public void Labels_are_escaped_and_numbers_are_plain()
    {
        const string Nasty = "a\"b\\c\nd{e}=f,g";
        string text = new PrometheusText().Counter("x_total", "X.").Add(1e15, ("name", Nasty)).Add(0.25, ("name", "")).ToString();

        PrometheusParser page = PrometheusParser.Parse(text);

        Assert.Equal(1e15, page.Series[$"x_total{{name={Nasty}}}"]);
        Assert.Equal(0.25, page.Series["x_total{name=}"]);
        Assert.DoesNotContain('\r', text);
    }

    private static async Task<PrometheusParser> PageAsync()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await server.SpawnAsync();
        await server.SendAsync(HttpMethod.Get, "ready");
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, "metrics/prometheus");
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        return PrometheusParser.Parse(await answer.Content.ReadAsStringAsync());
    }
}
