using System.Text.Json;
using StacyVM.Tests.Server.Observability;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Snapshots, pool, machine, workers.</summary>
public sealed class SystemTests
{
    [Theory]
    [InlineData("snapshots", "[]\n")]
    [InlineData("pool/status", "{\"enabled\":false}\n")]
    public async Task What_this_version_does_not_have_is_said_in_the_form_clients_know(string path, string body)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, path);
        Assert.Equal(200, (int)answer.StatusCode);
        Assert.Equal(body, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_machine_is_six_numbers()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        Assert.False(server.Engine.Host.Sampling);
        JsonElement body = (await server.SendAsync(HttpMethod.Get, "system/stats")).Body;
        Fields.Check(body, new Dictionary<string, string>
        {
            ["cpu_pct"] = "float",
            ["mem_pct"] = "float",
            ["disk_pct"] = "float",
            ["net_rx_bps"] = "float",
            ["net_tx_bps"] = "float",
            ["load1"] = "float",
        });
        Assert.InRange(body.GetProperty("mem_pct").GetDouble(), 0.1, 100);
        Assert.True(server.Engine.Host.Sampling);
    }

    [Fact]
    public async Task The_server_is_the_one_worker()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (int status, JsonElement worker) = await server.SendAsync(HttpMethod.Get, "workers/local");
        Assert.Equal(200, status);
        Assert.Equal("online", worker.GetProperty("status").GetString());
        Assert.Equal(Environment.MachineName, worker.GetProperty("hostname").GetString());
        Assert.Equal("""["scripted"]""", worker.GetProperty("providers").GetRawText());
        Assert.Equal("""["api","single_node","spawn","exec","files"]""", worker.GetProperty("capabilities").GetRawText());
        Assert.False(worker.GetProperty("stale").GetBoolean());
        Assert.DoesNotContain("rpc_url", worker.GetRawText());
        (int unknown, JsonElement problem) = await server.SendAsync(HttpMethod.Get, "workers/other");
        Assert.Equal((404, "NOT_FOUND"), (unknown, problem.GetProperty("code").GetString()));
    }
}
