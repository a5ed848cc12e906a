using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Checkpoints over HTTP on a level that has none: what it cannot do it says, and the lists are there.</summary>
public sealed class CheckpointRouteTests
{
    [Theory]
    [InlineData("checkpoints", """{"name":"one"}""")]
    [InlineData("fork", "{}")]
    [InlineData("pause", null)]
    [InlineData("resume", null)]
    public async Task A_level_without_the_power_says_so(string route, string? body)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        (int status, System.Text.Json.JsonElement answer) = await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/{route}", body);
        Assert.Equal((501, "UNSUPPORTED"), (status, answer.GetProperty("code").GetString()));
        Assert.Contains("no provider here can", answer.GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_is_not_found_and_bad_input_is_named()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string id = await server.SpawnAsync();
        Assert.Equal(0, (await server.SendAsync(HttpMethod.Get, "checkpoints", null)).Body.GetArrayLength());
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, "checkpoints/none", null)).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Delete, "checkpoints/none", null)).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "sandboxes", """{"checkpoint":"none"}""")).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "sandboxes/sb-0123456789abcdef/fork", "{}")).Status);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/checkpoints", """{"name":"../x"}""")).Status);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/fork", """{"count":101}""")).Status);
    }
}
