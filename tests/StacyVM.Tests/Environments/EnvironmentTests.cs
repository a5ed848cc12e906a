using System.Text.Json;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Environments;
using StacyVM.Tests.Server;
using Xunit;

namespace StacyVM.Tests.Environments;

/// <summary>The routes below <c>/environments</c>, on a machine without a Docker engine.</summary>
public sealed class EnvironmentTests
{
    private const string NoEngine = "unix:///nonexistent/docker.sock";
    private const string Canary = "canary-secret-5hQ";

    [Fact]
    public async Task A_spec_has_the_fields_of_the_contract_and_clean_lists()
    {
        await using RunningServer server = await EnvironmentApi.StartAsync(NoEngine);
        (int status, JsonElement spec) = await server.SendAsync(HttpMethod.Post, "environments/specs",
            """{"owner_id":" alice ","name":" data ","base_image":" python:3.12 ","python_packages":[" numpy ","","numpy","pandas>=2"],"apt_packages":null}""");
        Assert.Equal(201, status);
        Assert.Equal(["id", "owner_id", "name", "base_image", "python_packages", "apt_packages", "created_at", "updated_at"], spec.EnumerateObject().Select(field => field.Name));
        Assert.Equal('4', Guid.Parse(spec.GetProperty("id").GetString()!).ToString()[14]);
        Assert.Equal("alice", spec.GetProperty("owner_id").GetString());
        Assert.Equal("""["numpy","pandas\u003E=2"]""", JsonSerializer.Serialize(spec.GetProperty("python_packages")));
        Assert.Equal(0, spec.GetProperty("apt_packages").GetArrayLength());

        string id = spec.GetProperty("id").GetString()!;
        Assert.Equal(spec.ToString(), (await server.SendAsync(HttpMethod.Get, $"environments/specs/{id}")).Body.ToString());
        Assert.Equal(spec.ToString(), Assert.Single((await server.SendAsync(HttpMethod.Get, "environments/specs?owner_id=alice")).Body.EnumerateArray().ToArray()).ToString());
        JsonElement suggestions = (await server.SendAsync(HttpMethod.Get, $"environments/specs/{id}/suggestions")).Body;
        Assert.Equal(id, suggestions.GetProperty("spec_id").GetString());
        Assert.Equal(["pytest", "requests", "python-dotenv", "pandas", "numpy"], suggestions.GetProperty("suggestions").EnumerateArray().Select(name => name.GetString()));
        string plain = await server.SpecAsync("plain", "debian:12");
        Assert.Equal(3, (await server.SendAsync(HttpMethod.Get, $"environments/specs/{plain}/suggestions")).Body.GetProperty("suggestions").GetArrayLength());
    }

    [Fact]
    public async Task Lists_are_empty_arrays_and_need_an_owner()
    {
        await using RunningServer server = await EnvironmentApi.StartAsync(NoEngine);
        foreach (string list in new[] { "specs", "builds", "registry-connections" })
        {
            using HttpResponseMessage answer = await server.AnswerAsync(HttpMethod.Get, $"environments/{list}?owner_id=nobody");
            Assert.Equal("[]", (await answer.Content.ReadAsStringAsync()).Trim());
            Assert.Equal(400, (await server.SendAsync(HttpMethod.Get, $"environments/{list}")).Status);
        }
        foreach (string limit in new[] { "0", "201", "x", "-1" })
            Assert.Equal(400, (await server.SendAsync(HttpMethod.Get, $"environments/builds?owner_id=a&limit={limit}")).Status);
    }

    [Fact]
    public async Task A_name_that_the_owner_has_is_a_conflict_and_another_owner_may_have_it()
    {
        await using RunningServer server = await EnvironmentApi.StartAsync(NoEngine);
        await server.SpecAsync("x", "debian");
        Assert.Equal(409, (await server.SendAsync(HttpMethod.Post, "environments/specs", """{"owner_id":"alice","name":"x","base_image":"debian"}""")).Status);
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, "environments/specs", """{"owner_id":"bob","name":"x","base_image":"debian"}""")).Status);
    }

    [Theory]
    [InlineData("environments/specs", """{"name":"x","base_image":"debian"}""")]
    [InlineData("environments/specs", """{"owner_id":"a","base_image":"debian"}""")]
    [InlineData("environments/specs", """{"owner_id":"a","name":"x"}""")]
    [InlineData("environments/specs", """{"owner_id":"a","name":"x","base_image":"debian\nRUN id"}""")]
    [InlineData("environments/specs", """{"owner_id":"a","name":"x","base_image":"debian","python_packages":["x; id"]}""")]
    [InlineData("environments/specs", """{"owner_id":"a","name":"x","base_image":"python:3.11","python_version":"3.12"}""")]
    [InlineData("environments/builds", "{}")]
    [InlineData("environments/registry-connections", """{"owner_id":"a","provider":"quay","username":"u","secret_ref":"s"}""")]
    [InlineData("environments/registry-connections", """{"owner_id":"a","provider":"ghcr","username":"u","secret_ref":""}""")]
    [InlineData("environments/registry-connections", """{"owner_id":"a","provider":"ghcr","username":"u/../v","secret_ref":"s"}""")]
    [InlineData("environments/registry-connections", """{"provider":"ghcr","username":"u","secret_ref":"s"}""")]
    public async Task What_cannot_be_is_refused_before_anything_is_stored(string path, string body)
    {
        await using RunningServer server = await EnvironmentApi.StartAsync(NoEngine);
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, path, body)).Status);
        if (path != "environments/builds")
            Assert.Equal(0, (await server.SendAsync(HttpMethod.Get, path + "?owner_id=a")).Body.GetArrayLength());
    }

    [Fact]
    public async Task Unknown_ids_are_not_found_and_unknown_targets_refused()
    {
        await using RunningServer server = await EnvironmentApi.StartAsync(NoEngine);
        foreach (string path in new[] { "specs/x", "specs/x/suggestions", "builds/x", "builds/x/spawn-config" })
            Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, "environments/" + path)).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "environments/builds/x/cancel")).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Delete, "environments/registry-connections/x")).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "environments/builds", """{"spec_id":"x"}""")).Status);
        string spec = await server.SpecAsync("x", "debian");
        Assert.Equal(400, (await server.SendAsync(HttpMethod.Post, "environments/builds", $$"""{"spec_id":"{{spec}}","targets":["quay"]}""")).Status);
    }

    [Fact]
    public async Task Without_an_engine_a_build_fails_and_says_why()
    {
        await using RunningServer server = await EnvironmentApi.StartAsync(NoEngine);
        string id = await server.BuildAsync(await server.SpecAsync("My Env", "debian"), """["local","ghcr","dockerhub"]""");
        JsonElement build = await server.FinishedAsync(id);
        Assert.Equal("failed", build.GetProperty("status").GetString());
        Assert.Contains("Docker engine", build.GetProperty("error").GetString());
        Assert.Equal("finalize", build.GetProperty("current_step").GetString());
        Assert.Equal(0, build.GetProperty("image_size_bytes").GetInt64());
        Assert.False(build.TryGetProperty("digest_local", out _));
        Assert.True(build.TryGetProperty("finished_at", out _));
        Assert.Equal(
            [$"local/stacyvm-env:my-env-{id[..8]}", $"ghcr.io/registry-user/stacyvm-env:my-env-{id[..8]}", $"docker.io/registry-user/stacyvm-env:my-env-{id[..8]}"],
            build.GetProperty("artifacts").EnumerateArray().Select(artifact => artifact.GetProperty("image_ref").GetString()));
        Assert.All(build.GetProperty("artifacts").EnumerateArray(), artifact => Assert.Equal("failed", artifact.GetProperty("status").GetString()));
        Assert.Equal(409, (await server.SendAsync(HttpMethod.Post, $"environments/builds/{id}/cancel")).Status);
        JsonElement spawn = (await server.SendAsync(HttpMethod.Get, $"environments/builds/{id}/spawn-config")).Body;
        Assert.False(spawn.GetProperty("ready").GetBoolean());
        Assert.Equal("docker", spawn.GetProperty("provider").GetString());
        JsonElement entry = Assert.Single((await server.SendAsync(HttpMethod.Get, "environments/builds?owner_id=alice")).Body.EnumerateArray().ToArray());
        Assert.Equal(id, entry.GetProperty("build").GetProperty("id").GetString());
        Assert.Equal("My Env", entry.GetProperty("spec").GetProperty("name").GetString());
    }

    [Fact]
    public async Task Registry_secrets_are_sealed_and_never_come_back()
    {
        string directory = Directory.CreateTempSubdirectory("stacyvm-env-").FullName;
        await using RunningServer server = await EnvironmentApi.StartAsync(NoEngine, directory);
        (int status, JsonElement first) = await server.SendAsync(HttpMethod.Post, "environments/registry-connections",
            $$"""{"owner_id":"alice","provider":"ghcr","username":"Ada","secret_ref":"{{Canary}}"}""");
        Assert.Equal(201, status);
        Assert.Equal(["id", "owner_id", "provider", "username", "is_default", "created_at", "updated_at"], first.EnumerateObject().Select(field => field.Name));
        string id = first.GetProperty("id").GetString()!;
        Assert.Equal(409, (await server.SendAsync(HttpMethod.Post, "environments/registry-connections", $$"""{"owner_id":"alice","provider":"ghcr","username":"Ada","secret_ref":"{{Canary}}"}""")).Status);
        (status, JsonElement second) = await server.SendAsync(HttpMethod.Post, "environments/registry-connections",
            $$"""{"owner_id":"alice","provider":"ghcr","username":"eve","secret_ref":"{{Canary}}","is_default":true}""");
        Assert.Equal(201, status);
        (status, JsonElement replaced) = await server.SendAsync(HttpMethod.Post, "environments/registry-connections",
            $$"""{"id":"{{id}}","owner_id":"alice","provider":"ghcr","username":"Ada","secret_ref":"{{Canary}}2","is_default":true}""");
        Assert.Equal(201, status);
        Assert.Equal(first.GetProperty("created_at").ToString(), replaced.GetProperty("created_at").ToString());
        Assert.Equal(409, (await server.SendAsync(HttpMethod.Post, "environments/registry-connections", $$"""{"id":"{{id}}","owner_id":"bob","provider":"ghcr","username":"b","secret_ref":"x"}""")).Status);
        JsonElement list = (await server.SendAsync(HttpMethod.Get, "environments/registry-connections?owner_id=alice")).Body;
        Assert.Equal([true, false], list.EnumerateArray().Select(connection => connection.GetProperty("is_default").GetBoolean()));
        Assert.DoesNotContain(Canary, list.ToString() + server.Log.Text);
        await server.Engine.Store.FlushAsync();
        foreach (string file in Directory.EnumerateFiles(directory, "stacyvm.db*"))
            Assert.DoesNotContain(Canary, File.ReadAllText(file, System.Text.Encoding.Latin1));
        Assert.Equal("deleted", (await server.SendAsync(HttpMethod.Delete, $"environments/registry-connections/{id}")).Body.GetProperty("status").GetString());
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Delete, $"environments/registry-connections/{id}")).Status);
        Assert.NotEqual(id, second.GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_full_queue_is_said_in_the_answer()
    {
        // An address that takes connections and never answers keeps the workers busy.
        using var silent = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        silent.Start();
        await using RunningServer server = await EnvironmentApi.StartAsync($"tcp://{silent.LocalEndpoint}");
        string spec = await server.SpecAsync("x", "debian");
        JsonElement build = default;
        for (int i = 0; i < EnvironmentBuilds.QueueLength + 3; i++)
            (_, build) = await server.SendAsync(HttpMethod.Post, "environments/builds", $$"""{"spec_id":"{{spec}}"}""");
        Assert.Equal("failed", build.GetProperty("status").GetString());
        Assert.Contains("128", build.GetProperty("error").GetString());
        string queued = (await server.SendAsync(HttpMethod.Get, "environments/builds?owner_id=alice&limit=2")).Body[1].GetProperty("build").GetProperty("id").GetString()!;
        JsonElement canceled = (await server.SendAsync(HttpMethod.Post, $"environments/builds/{queued}/cancel")).Body;
        Assert.Equal("canceled", canceled.GetProperty("status").GetString());
    }

    [Fact]
    public async Task An_engine_that_talks_nonsense_fails_the_build_and_the_next_one_is_taken_up()
    {
        using var engine = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        engine.Start();
        Task answering = AnswerNonsenseAsync(engine);
        await using RunningServer server = await EnvironmentApi.StartAsync($"tcp://{engine.LocalEndpoint}");
        string spec = await server.SpecAsync("x", "debian");
        for (int i = 0; i < 3; i++)
        {
            JsonElement build = await server.FinishedAsync(await server.BuildAsync(spec));
            Assert.Equal("failed", build.GetProperty("status").GetString());
            Assert.NotEmpty(build.GetProperty("error").GetString()!);
        }
        engine.Stop();
        await answering;
    }

    private static async Task AnswerNonsenseAsync(System.Net.Sockets.TcpListener listener)
    {
        try
        {
            while (true)
            {
                using System.Net.Sockets.TcpClient client = await listener.AcceptTcpClientAsync();
                System.Net.Sockets.NetworkStream stream = client.GetStream();
                await stream.ReadAtLeastAsync(new byte[4096], 1, throwOnEndOfStream: false);
                await stream.WriteAsync("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\nConnection: close\r\n\r\nnonsense"u8.ToArray());
            }
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    [Fact]
    public async Task Owners_kept_apart_see_and_make_only_their_own()
    {
        await using RunningServer server = await RunningServer.StartAsync(auth: new AuthOptions { ApiKey = "client-key-of-some-length", OwnerIsolation = true });
        (string, string)[] alice = [("X-API-Key", "client-key-of-some-length"), ("X-User-ID", "alice")];
        (string, string)[] mallory = [("X-API-Key", "client-key-of-some-length"), ("X-User-ID", "mallory")];
        (int status, JsonElement spec) = await server.SendAsync(HttpMethod.Post, "environments/specs", """{"owner_id":"alice","name":"x","base_image":"debian"}""", alice);
        Assert.True(status == 201, $"{status} {spec}");
        Assert.Equal(403, (await server.SendAsync(HttpMethod.Post, "environments/specs", """{"owner_id":"alice","name":"y","base_image":"debian"}""", mallory)).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Get, $"environments/specs/{spec.GetProperty("id")}", null, mallory)).Status);
        Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "environments/builds", $$"""{"spec_id":"{{spec.GetProperty("id")}}"}""", mallory)).Status);
        Assert.Equal(0, (await server.SendAsync(HttpMethod.Get, "environments/specs?owner_id=alice", null, mallory)).Body.GetArrayLength());
        Assert.Equal(1, (await server.SendAsync(HttpMethod.Get, "environments/specs?owner_id=alice", null, alice)).Body.GetArrayLength());
    }
}
