using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Store;
using StacyVM.Tests.Server.Scripted;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>What a spawn makes of a template, over both routes.</summary>
public sealed class TemplateSpawnTests
{
    private const string Canary = "canary-41d2c07b9e5f";

    [Theory]
    [InlineData("sandboxes", """{"template":"t"}""")]
    [InlineData("sandboxes", """{"template":"t","image":"alpine:latest"}""")]
    [InlineData("templates/t/spawn", null)]
    [InlineData("templates/t/spawn", "{}")]
    [InlineData("templates/t/spawn", "not json")]
    public async Task Every_field_is_applied(string path, string? body)
    {
        await using RunningServer server = await RunningServer.StartAsync(adjust: options => options with { Providers = new ProvidersOptions { Default = "auto" } });
        SandboxSpec? spec = null;
        server.Provider.Made = (_, made) => spec = made;
        await SaveAsync(server, """
            {"name":"t","image":"python:3.12","memory_mb":96,"vcpus":2,"ttl":"7m","provider":"scripted","metadata":{"team":"x"},"env":{"A":"1"},
             "files":{"/workspace/a.txt":"hello"},"setup":["echo one","echo two"],
             "secrets":[{"name":"TOKEN","inject_at":"/run/token","value":"s3cret-file"},{"name":"KEY","inject_at":"API_KEY","value":"s3cret-variable"}]}
            """);

        (int status, JsonElement sandbox) = await server.SendAsync(HttpMethod.Post, path, body);

        Assert.True(status == 201, sandbox.ToString());
        Assert.Equal(("running", "python:3.12", "scripted", 96, 2), (sandbox.GetProperty("state").GetString(), sandbox.GetProperty("image").GetString(),
            sandbox.GetProperty("provider").GetString(), sandbox.GetProperty("memory_mb").GetInt32(), sandbox.GetProperty("vcpus").GetInt32()));
        Assert.Equal(("x", "t"), (sandbox.GetProperty("metadata").GetProperty("team").GetString(), sandbox.GetProperty("metadata").GetProperty("template").GetString()));
        Assert.Equal(7, (sandbox.GetProperty("expires_at").GetDateTime() - sandbox.GetProperty("created_at").GetDateTime()).TotalMinutes, 0.2);
        Assert.Equal(("python:3.12", 96, 2), (spec!.Image, spec.MemoryMb, spec.Vcpus));
        ScriptedSandbox made = server.Provider[sandbox.GetProperty("id").GetString()!];
        Assert.Equal("hello"u8, made.Memory.Content["/workspace/a.txt"]);
        Assert.Equal("s3cret-file"u8, made.Memory.Content["/run/token"]);
        Assert.Equal((0x1A4u, 0x180u), (made.Memory.Modes["/workspace/a.txt"], made.Memory.Modes["/run/token"]));
        ExecSpec[] ran = [.. made.Sessions.Select(session => session.Spec)];
        Assert.Equal(["echo one", "echo two"], ran.Select(one => one.Arguments[^1]));
        Assert.All(ran, one => Assert.Equal(("1", "s3cret-variable", TimeSpan.FromMinutes(10)), (one.Environment["A"], one.Environment["API_KEY"], one.Timeout)));
    }

    [Fact]
    public async Task What_the_request_names_itself_wins()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await SaveAsync(server, """{"name":"t","image":"python:3.12","memory_mb":96,"vcpus":2,"ttl":"7m","metadata":{"a":"template","b":"template"}}""");

        JsonElement sandbox = (await server.SendAsync(HttpMethod.Post, "sandboxes",
            """{"template":"t","image":"node:22","memory_mb":32,"vcpus":1,"ttl":"3m","metadata":{"a":"request","template":"mine"},"owner_id":"ada"}""")).Body;

        Assert.Equal(("node:22", 32, 1, "ada"), (sandbox.GetProperty("image").GetString(), sandbox.GetProperty("memory_mb").GetInt32(),
            sandbox.GetProperty("vcpus").GetInt32(), sandbox.GetProperty("owner_id").GetString()));
        Assert.Equal("""{"a":"request","b":"template","template":"t"}""", sandbox.GetProperty("metadata").GetRawText());
        JsonElement other = (await server.SendAsync(HttpMethod.Post, "templates/t/spawn", """{"provider":"scripted","ttl":"4m"}""", ("X-User-ID", "bob"))).Body;
        Assert.Equal("bob", other.GetProperty("owner_id").GetString());
        Assert.Equal(4, (other.GetProperty("expires_at").GetDateTime() - other.GetProperty("created_at").GetDateTime()).TotalMinutes, 0.2);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "templates/t/spawn", """{"provider":"none"}""")).Status);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, "templates/t/spawn", """{"ttl":"soon"}""")).Status);
    }

    [Fact]
    public async Task The_limits_of_spawns_hold_for_templates_too()
    {
        await using RunningServer server = await RunningServer.StartAsync(
            adjust: options => options with { Defaults = new DefaultsOptions { MaxTtl = TimeSpan.FromMinutes(5), MaxSandboxesPerOwner = 1 } });
        await SaveAsync(server, """{"name":"long","image":"host","ttl":"6m"}""");
        await SaveAsync(server, """{"name":"t","image":"host"}""");
        Assert.Equal(429, (await server.SendAsync(HttpMethod.Post, "templates/long/spawn")).Status);
        JsonElement trial = (await server.SendAsync(HttpMethod.Post, "sandboxes/admission", """{"template":"long"}""")).Body;
        Assert.Equal((false, "max_ttl"), (trial.GetProperty("allowed").GetBoolean(), trial.GetProperty("reason").GetString()));
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "sandboxes/admission", """{"template":"none"}""")).Status);
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, "templates/t/spawn", null, ("X-User-ID", "ada"))).Status);
        Assert.Equal(429, (await server.SendAsync(HttpMethod.Post, "templates/t/spawn", null, ("X-User-ID", "ada"))).Status);
    }

    [Fact]
    public async Task Every_later_command_has_the_environment_and_its_own_variables_win()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await SaveAsync(server, """{"name":"t","image":"host","env":{"A":"template","B":"template"},"secrets":[{"name":"KEY","value":"s3cret"}]}""");
        string id = (await server.SendAsync(HttpMethod.Post, "templates/t/spawn")).Body.GetProperty("id").GetString()!;

        await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"exit 0","env":{"A":"own"}}""");
        await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"exit 1","background":true}""");

        ScriptedSession[] sessions = [.. server.Provider[id].Sessions];
        Assert.Equal(2, sessions.Length);
        Assert.Equal(("own", "template", "s3cret"), (sessions[0].Spec.Environment["A"], sessions[0].Spec.Environment["B"], sessions[0].Spec.Environment["KEY"]));
        Assert.Equal(("template", "s3cret"), (sessions[1].Spec.Environment["A"], sessions[1].Spec.Environment["KEY"]));
    }

    [Fact]
    public async Task A_setup_command_that_fails_undoes_the_spawn_and_says_which_and_why_without_a_secret()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        server.Provider.Made = (sandbox, spec) => Task.Run(() =>
        {
            ScriptedSession second = sandbox.Sessions.GetConsumingEnumerable().First(session => session.Spec.Arguments[^1] == "two");
            second.Write(System.Text.Encoding.UTF8.GetBytes($"no access with {Canary}: 401\n"), isError: true);
            second.End(7);
        });
        await SaveAsync(server, $$"""{"name":"t","image":"host","setup":["exit 0","two","exit 0"],"secrets":[{"name":"KEY","value":"{{Canary}}"}]}""");

        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "templates/t/spawn");

        Assert.Equal(400, status);
        Assert.Equal("invalid input: template t: setup command 2 of 3 ended with exit code 7: no access with ***: 401", answer.GetProperty("message").GetString());
        Assert.Equal("[]", (await server.SendAsync(HttpMethod.Get, "sandboxes")).Body.GetRawText());
        Assert.Equal(0, server.Provider.Count);
        await server.Engine.Store.FlushAsync();
        AuditRow row = (await server.Engine.Store.ReadAuditAsync(null, 10, default)).First(one => one.Action == "sandbox.spawn");
        Assert.Equal("failure", row.Status);
        Assert.DoesNotContain("no access", row.Detail);
        Assert.DoesNotContain("no access", server.Log.Text);
        Assert.DoesNotContain(Canary, server.Log.Text);
        // Its place is free again.
        await server.SpawnAsync();
    }

    [Fact]
    public async Task A_setup_command_that_does_not_end_in_its_time_is_a_timeout()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        await SaveAsync(server, """{"name":"t","image":"host","setup":["timeout"]}""");
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "templates/t/spawn");
        Assert.Equal((408, "TIMEOUT", "exec timeout: template t: setup command 1 of 1 did not end within 10m0s"),
            (status, answer.GetProperty("code").GetString(), answer.GetProperty("message").GetString()));
        Assert.Equal(0, server.Provider.Count);
    }

    [Fact]
    public async Task A_client_that_leaves_during_the_setup_leaves_nothing_behind()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        var begun = new TaskCompletionSource<ScriptedSession>(TaskCreationOptions.RunContinuationsAsynchronously);
        server.Provider.Made = (sandbox, spec) => Task.Run(() => begun.TrySetResult(sandbox.Sessions.Take()));
        await SaveAsync(server, """{"name":"t","image":"host","setup":["wait"]}""");
        using var leaving = new CancellationTokenSource();
        Task<HttpResponseMessage> spawning = server.Http.PostAsync("templates/t/spawn", null, leaving.Token);
        ScriptedSession session = await begun.Task.WaitAsync(TimeSpan.FromSeconds(20));
        // Not announced before it is whole: nobody can use it yet.
        JsonElement listed = Assert.Single((await server.SendAsync(HttpMethod.Get, "sandboxes")).Body.EnumerateArray());
        Assert.Equal("creating", listed.GetProperty("state").GetString());
        Assert.Equal(409, (await server.SendAsync(HttpMethod.Post, $"sandboxes/{listed.GetProperty("id").GetString()}/exec", """{"command":"true"}""")).Status);

        await leaving.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => spawning);
        await session.Killed.WaitAsync(TimeSpan.FromSeconds(20));
        for (int i = 0; i < 400 && server.Provider.Count > 0; i++)
            await Task.Delay(25);
        Assert.Equal(0, server.Provider.Count);
    }

    [Fact]
    public async Task A_secret_without_a_value_is_the_servers_variable_only_where_the_operator_lists_it()
    {
        Environment.SetEnvironmentVariable("TEMPLATE_TEST_LISTED", "from-the-server");
        Environment.SetEnvironmentVariable("TEMPLATE_TEST_OTHER", Canary);
        await using RunningServer server = await RunningServer.StartAsync(
            adjust: options => options with { Secrets = new SecretsOptions { AllowedEnv = ["TEMPLATE_TEST_LISTED", "TEMPLATE_TEST_UNSET"] } });
        await SaveAsync(server, """{"name":"listed","image":"host","secrets":[{"name":"TEMPLATE_TEST_LISTED","inject_at":"IN"}]}""");
        await SaveAsync(server, """{"name":"unset","image":"host","secrets":[{"name":"TEMPLATE_TEST_UNSET","inject_at":"IN"}]}""");
        JsonElement other = await SaveAsync(server, """{"name":"other","image":"host","secrets":[{"name":"TEMPLATE_TEST_OTHER","inject_at":"IN"}]}""");
        Assert.StartsWith("secret TEMPLATE_TEST_OTHER has no value", Assert.Single(other.GetProperty("notes").EnumerateArray()).GetString());

        string id = (await server.SendAsync(HttpMethod.Post, "templates/listed/spawn")).Body.GetProperty("id").GetString()!;
        await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"exit 0"}""");
        Assert.Equal("from-the-server", server.Provider[id].Sessions.Take().Spec.Environment["IN"]);
        foreach (string name in new[] { "unset", "other" })
        {
            (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, $"templates/{name}/spawn");
            Assert.Equal(409, status);
            Assert.DoesNotContain(Canary, answer.ToString());
        }
    }

    [Fact]
    public async Task A_value_stays_when_the_secret_is_saved_again_without_one()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement saved = await SaveAsync(server, $$"""{"name":"t","image":"host","secrets":[{"name":"KEY","inject_at":"OLD","value":"{{Canary}}"}]}""");
        Assert.DoesNotContain(Canary, saved.ToString());
        JsonElement read = (await server.SendAsync(HttpMethod.Get, "templates/t")).Body;

        // As a client does that reads, changes and writes back.
        JsonElement replaced = (await server.SendAsync(HttpMethod.Put, "templates/t", read.ToString().Replace("OLD", "NEW"))).Body;

        Assert.Equal("""[{"name":"KEY","inject_at":"NEW"}]""", replaced.GetProperty("secrets").GetRawText());
        string id = (await server.SendAsync(HttpMethod.Post, "templates/t/spawn")).Body.GetProperty("id").GetString()!;
        await server.SendAsync(HttpMethod.Post, $"sandboxes/{id}/exec", """{"command":"exit 0"}""");
        Assert.Equal(Canary, server.Provider[id].Sessions.Take().Spec.Environment["NEW"]);
    }

    private static async Task<JsonElement> SaveAsync(RunningServer server, string body)
    {
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "templates", body);
        Assert.True(status == 201, $"{status} {answer}");
        return answer;
    }
}
