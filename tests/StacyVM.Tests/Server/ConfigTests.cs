using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Store;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>PATCH /config over HTTP.</summary>
public sealed class ConfigTests
{
    private const string Client = "client-key-of-some-length";
    private const string Admin = "admin-key-of-some-length";

    [Theory]
    [InlineData("config")]
    [InlineData("system/config")]
    public async Task An_administrator_changes_keys_and_it_is_audited(string path)
    {
        using var place = new ConfigurationSandbox();
        place.WriteYaml("logging:\n  level: info # quiet\n");
        await using RunningServer server = await StartAsync(place);

        (int status, JsonElement body) = await server.SendAsync(
            HttpMethod.Patch, path, """{"logging.level":"debug","defaults.max_sandboxes":5,"logging.format":"pretty"}""", ("X-API-Key", Admin), ("X-User-ID", "root"));

        Assert.Equal(200, status);
        Assert.Equal("updated", body.GetProperty("status").GetString());
        Assert.Contains("restart", body.GetProperty("message").GetString());
        Assert.Equal("""["logging.level"]""", body.GetProperty("applied").GetRawText());
        Assert.Equal("""["defaults.max_sandboxes","logging.format"]""", body.GetProperty("after_restart").GetRawText());
        Assert.False(body.TryGetProperty("overridden", out _));
        Assert.Contains("level: debug # quiet", File.ReadAllText(body.GetProperty("file").GetString()!));
        AuditRow row = await LastAuditAsync(server);
        Assert.Equal(("root@admin:X-API-Key", "config.update", "logging.level, defaults.max_sandboxes, logging.format", "success"), (row.Actor, row.Action, row.Resource, row.Status));
        Assert.Contains("root@admin:X-API-Key changed logging.level", server.Log.Text);
    }

    [Theory]
    [InlineData("""{"logging.level":"debug","auth.api_key":"mine-now"}""", "cannot be changed over HTTP")]
    [InlineData("""{"logging.level":"debug","no.such.key":1}""", "there is no key")]
    [InlineData("""{"logging.level":"debug","defaults.vcpus":"two"}""", "must be a whole number")]
    [InlineData("""{"logging.level":"debug","defaults.ttl":90}""", "must be a duration")]
    [InlineData("""{"logging.level":{"x":1}}""", "must be one of")]
    [InlineData("""{"logging.level":["debug"]}""", "must be one of")]
    [InlineData("""{"logging.level":null}""", "must be one of")]
    [InlineData("{}", "no key is given")]
    [InlineData("null", "no key is given")]
    [InlineData("[1]", "an object is expected")]
    [InlineData("nonsense", "not JSON")]
    [InlineData("", "it is empty")]
    public async Task A_bad_body_changes_nothing(string body, string because)
    {
        using var place = new ConfigurationSandbox();
        string file = place.Write("work/stacyvm.yaml", "logging:\n  level: info\n");
        await using RunningServer server = await StartAsync(place);

        (int status, JsonElement problem) = await server.SendAsync(HttpMethod.Patch, "config", body, ("X-API-Key", Admin));

        Assert.Equal((400, "BAD_REQUEST"), (status, problem.GetProperty("code").GetString()));
        Assert.Contains(because, problem.GetProperty("message").GetString());
        Assert.Equal("logging:\n  level: info\n", File.ReadAllText(file));
        Assert.Equal([file], Directory.GetFiles(place.WorkingDirectory));
        Assert.DoesNotContain("mine-now", server.Log.Text);
        if (because.Contains("HTTP"))
            Assert.Equal(("config.update", "failure"), ((await LastAuditAsync(server)).Action, (await LastAuditAsync(server)).Status));
    }

    [Theory]
    [InlineData("config", Client, 403)]
    [InlineData("system/config", Client, 403)]
    [InlineData("config", "wrong", 401)]
    [InlineData("config", null, 401)]
    public async Task Nobody_else_may(string path, string? key, int status)
    {
        using var place = new ConfigurationSandbox();
        string file = place.Write("work/stacyvm.yaml", "logging:\n  level: info\n");
        await using RunningServer server = await StartAsync(place);
        (string, string)[] headers = key is null ? [] : [("X-API-Key", key)];
        Assert.Equal(status, (await server.SendAsync(HttpMethod.Patch, path, """{"logging.level":"debug"}""", headers)).Status);
        Assert.Equal("logging:\n  level: info\n", File.ReadAllText(file));
    }

    private static Task<RunningServer> StartAsync(ConfigurationSandbox place) => RunningServer.StartAsync(
        auth: new AuthOptions { ApiKey = Client, AdminApiKey = Admin },
        editor: new ConfigurationEditor(place.Sources, place.Load(), new Dictionary<string, Action<StacyOptions>> { ["logging.level"] = static _ => { } }));

    private static async Task<AuditRow> LastAuditAsync(RunningServer server)
    {
        await server.Engine.Store.FlushAsync();
        return (await server.Engine.Store.ReadAuditAsync(null, 1, default))[0];
    }
}
