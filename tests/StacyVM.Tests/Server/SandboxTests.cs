using System.Text.Json;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Sandboxes and providers, field by field.</summary>
public sealed class SandboxTests
{
    private static readonly string[] Always = ["id", "state", "provider", "image", "memory_mb", "vcpus", "created_at", "expires_at"];

    [Fact]
    public async Task A_sandbox_lives_from_spawn_to_destroy()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (int status, JsonElement made) = await server.SendAsync(
            HttpMethod.Post, "sandboxes", """{"image":"alpine:latest","memory_mb":64,"vcpus":2,"ttl":"10m","owner_id":"alice","metadata":{"a":"b"}}""");
        Assert.Equal(201, status);
        Assert.Subset(made.EnumerateObject().Select(field => field.Name).ToHashSet(), Always.ToHashSet());
        Assert.DoesNotContain(made.EnumerateObject(), field => field.Value.ValueKind == JsonValueKind.Null);
        Assert.Equal(("running", "scripted", 64, 2), (Text(made, "state"), Text(made, "provider"), made.GetProperty("memory_mb").GetInt32(), made.GetProperty("vcpus").GetInt32()));
        Assert.Equal("b", made.GetProperty("metadata").GetProperty("a").GetString());
        Assert.EndsWith("Z", Text(made, "created_at"));
        string id = Text(made, "id")!;
        Assert.Matches("^sb-[0-9a-f]{16}$", id);

        Assert.Equal(id, Text((await server.SendAsync(HttpMethod.Get, "sandboxes")).Body[0], "id"));
        Assert.Equal(id, Text((await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/")).Body, "id"));
        (status, JsonElement extended) = await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/extend", """{"ttl":"1h"}""");
        Assert.Equal(200, status);
        Assert.True(extended.GetProperty("expires_at").GetDateTime() > made.GetProperty("expires_at").GetDateTime());
        Assert.Equal("""{"supported":true,"cpu_pct":12.5,"mem_bytes":1000,"mem_limit_bytes":2000,"processes":3}""",
            (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/stats")).Body.GetRawText());
        Assert.Equal("""{"pruned":0}""", (await server.SendAsync(HttpMethod.Delete, "sandboxes")).Body.GetRawText());

        for (int i = 0; i < 2; i++)
            Assert.Equal("""{"status":"destroyed"}""", (await server.SendAsync(HttpMethod.Delete, $"sandboxes/{id}")).Body.GetRawText());
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}")).Status);
        Assert.Equal("[]", (await server.SendAsync(HttpMethod.Get, "sandboxes")).Body.GetRawText());
    }

    [Fact]
    public async Task Ports_come_with_their_previews()
    {
        await using RunningServer server = await RunningServer.StartAsync(options => options with { PreviewDomain = "preview.example" });
        string id = await server.SpawnAsync();
        server.Provider[id].Ports[8080] = 1;
        JsonElement port = (await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/ports")).Body[0];
        Assert.Equal(8080, port.GetProperty("port").GetInt32());
        Assert.StartsWith($"http://8080-{id}.preview.example", Text(port, "preview_url"));
    }

    [Fact]
    public async Task What_a_level_cannot_do_is_said_so()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        (int status, JsonElement body) = await server.SendAsync(HttpMethod.Get, $"sandboxes/{id}/logs");
        Assert.Equal((501, "UNSUPPORTED"), (status, Text(body, "code")));
    }

    [Fact]
    public async Task Providers_are_listed_tested_and_described()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement provider = (await server.SendAsync(HttpMethod.Get, "providers")).Body[0];
        Assert.Equal(("scripted", true, true), (Text(provider, "name"), provider.GetProperty("healthy").GetBoolean(), provider.GetProperty("default").GetBoolean()));
        Assert.Equal("""{"scripted":true}""", (await server.SendAsync(HttpMethod.Post, "providers/test")).Body.GetRawText());
        await server.SpawnAsync();
        JsonElement detail = (await server.SendAsync(HttpMethod.Get, "providers/scripted")).Body;
        Assert.Equal(1, detail.GetProperty("sandbox_count").GetInt32());
        Assert.Equal("scripted", Text(detail.GetProperty("config"), "type"));
        Assert.True(detail.TryGetProperty("health", out _));
    }

    private static string? Text(JsonElement element, string name) => element.GetProperty(name).GetString();
}
