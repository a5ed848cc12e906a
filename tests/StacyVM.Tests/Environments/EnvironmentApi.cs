using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Tests.Server;
using Xunit;

namespace StacyVM.Tests.Environments;

/// <summary>Calls that the tests of environments share.</summary>
internal static class EnvironmentApi
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    /// <summary>A server that builds on this engine.</summary>
    public static Task<RunningServer> StartAsync(string socket, string? directory = null, IReadOnlyDictionary<string, string>? registries = null) => RunningServer.StartAsync(
        directory: directory,
        adjust: options => options with
        {
            Providers = options.Providers with { Docker = new DockerOptions { Socket = socket } },
            Environments = new EnvironmentsOptions { Registries = registries ?? new Dictionary<string, string>() },
        });

    public static async Task<string> SpecAsync(this RunningServer server, string name, string image, string more = "")
    {
        (int status, JsonElement spec) = await server.SendAsync(HttpMethod.Post, "environments/specs", $$"""{"owner_id":"alice","name":"{{name}}","base_image":"{{image}}"{{more}}}""");
        Assert.True(status == 201, $"{status} {spec}");
        return spec.GetProperty("id").GetString()!;
    }

    public static async Task<string> BuildAsync(this RunningServer server, string specId, string targets = """["local"]""")
    {
        (int status, JsonElement build) = await server.SendAsync(HttpMethod.Post, "environments/builds", $$"""{"spec_id":"{{specId}}","targets":{{targets}}}""");
        Assert.True(status == 201, $"{status} {build}");
        Assert.Equal("queued", build.GetProperty("status").GetString());
        return build.GetProperty("id").GetString()!;
    }

    public static async Task<JsonElement> GetAsync(this RunningServer server, string id) => (await server.SendAsync(HttpMethod.Get, $"environments/builds/{id}")).Body;

    public static Task<JsonElement> FinishedAsync(this RunningServer server, string id) =>
        UntilAsync(server, id, build => build.GetProperty("status").GetString() is "ready" or "failed" or "canceled");

    /// <summary>Asks again until it is so.</summary>
    public static async Task<JsonElement> UntilAsync(this RunningServer server, string id, Func<JsonElement, bool> condition)
    {
        long deadline = Environment.TickCount64 + (long)Patience.TotalMilliseconds;
        while (true)
        {
            JsonElement build = await server.GetAsync(id);
            if (condition(build))
                return build;
            Assert.True(Environment.TickCount64 < deadline, $"it did not become true: {build}");
            await Task.Delay(100);
        }
    }
}
