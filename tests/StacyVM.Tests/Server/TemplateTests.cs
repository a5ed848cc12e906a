using System.Text.Json;
using System.Text.Json.Nodes;
using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Server;

/// <summary>Templates on the wire.</summary>
public sealed class TemplateTests
{
    [Fact]
    public async Task The_shape_of_the_server_comes_back_field_by_field()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        const string sent = """
            {"name":"full","version":3,"image":"python:3.12","description":"all of it","setup":["pip install numpy","echo ok"],
             "allowed_hosts":["pypi.org","*.pythonhosted.org:443"],"memory_mb":768,"cpu_cores":2,"ttl_seconds":600,"env":{"A":"1","B":"zwei"},
             "secrets":[{"name":"TOKEN","inject_at":"/run/token"},{"name":"KEY","inject_at":"API_KEY"}],"pool_size":4,
             "files":{"/workspace/a.txt":"text\n"},"provider":"scripted","metadata":{"team":"x"}}
            """;

        (int status, JsonElement saved) = await server.SendAsync(HttpMethod.Post, "templates", sent);

        Assert.True(status == 201, saved.ToString());
        JsonElement read = (await server.SendAsync(HttpMethod.Get, "templates/full")).Body;
        Assert.Equal(saved.ToString(), read.ToString());
        JsonObject given = JsonNode.Parse(sent)!.AsObject();
        JsonObject got = JsonNode.Parse(read.ToString())!.AsObject();
        foreach ((string name, JsonNode? value) in given)
            Assert.True(JsonNode.DeepEquals(value, got[name]), $"{name}: {got[name]}");
        Assert.Equal((2, "10m0s"), (read.GetProperty("vcpus").GetInt32(), read.GetProperty("ttl").GetString()));
        Assert.Equal(given["setup"]!.ToJsonString(), got["init_commands"]!.ToJsonString());
        Assert.Equal(read.GetProperty("created_at").GetDateTime(), read.GetProperty("updated_at").GetDateTime());
        // What has no effect yet says so.
        string[] notes = [.. read.GetProperty("notes").EnumerateArray().Select(note => note.GetString()!)];
        Assert.Contains(notes, note => note.StartsWith("allowed_hosts is stored and not enforced", StringComparison.Ordinal));
        Assert.Contains(notes, note => note.StartsWith("pool_size is stored and has no effect", StringComparison.Ordinal));
        Assert.Contains(notes, note => note.StartsWith("secret TOKEN has no value", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_shape_of_the_SDKs_comes_back_field_by_field()
    {
        await using RunningServer server = await RunningServer.StartAsync();

        (int status, JsonElement saved) = await server.SendAsync(
            HttpMethod.Post, "templates", """{"name":"sdk","image":"alpine:latest","memory_mb":256,"vcpus":2,"ttl":"30m","provider":"","metadata":{}}""");

        Assert.Equal(201, status);
        Assert.Equal(
            ["name", "version", "image", "memory_mb", "cpu_cores", "vcpus", "ttl_seconds", "ttl", "pool_size", "created_at", "updated_at"],
            saved.EnumerateObject().Select(field => field.Name));
        Assert.Equal(("30m0s", 1800, 2, 2), (saved.GetProperty("ttl").GetString(), saved.GetProperty("ttl_seconds").GetInt32(), saved.GetProperty("vcpus").GetInt32(), saved.GetProperty("cpu_cores").GetInt32()));
    }

    [Fact]
    public async Task Init_commands_are_the_setup()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement saved = (await server.SendAsync(HttpMethod.Post, "templates", """{"name":"ui","image":"host","init_commands":["echo a"]}""")).Body;
        Assert.Equal("""["echo a"]""", saved.GetProperty("setup").GetRawText());
    }

    [Fact]
    public async Task What_is_not_given_has_its_default()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement saved = (await server.SendAsync(HttpMethod.Post, "templates", """{"name":"bare","image":"host"}""")).Body;
        Assert.Equal((1, 512, 1, 300, 0), (saved.GetProperty("version").GetInt32(), saved.GetProperty("memory_mb").GetInt32(), saved.GetProperty("cpu_cores").GetInt32(),
            saved.GetProperty("ttl_seconds").GetInt32(), saved.GetProperty("pool_size").GetInt32()));
    }

    [Theory]
    [InlineData("""{"image":"host"}""", "name is required")]
    [InlineData("""{"name":"x"}""", "image is required")]
    [InlineData("""{"name":"x","image":"host","vcpus":1,"cpu_cores":2}""", "vcpus and cpu_cores")]
    [InlineData("""{"name":"x","image":"host","ttl":"1m","ttl_seconds":2}""", "ttl and ttl_seconds")]
    [InlineData("""{"name":"x","image":"host","setup":[null]}""", "setup command 1 is empty")]
    [InlineData("""{"name":"x","image":"host","env":{"A":null}}""", "env A must be a text")]
    [InlineData("""{"name":"x","image":"host","files":{"/a":null}}""", "files: /a must be a text")]
    [InlineData("""{"name":"x","image":"host","allowed_hosts":[null]}""", "allowed_hosts")]
    [InlineData("""{"name":"x","image":"host","secrets":[null]}""", "secret name")]
    [InlineData("""{"name":"x","image":"host","secrets":[{"name":"A","inject_at":"a b"}]}""", "inject_at must be")]
    [InlineData("""{"name":"x","image":"host","secrets":[{"name":"A","value":""}]}""", "value is empty")]
    [InlineData("""{"name":"x","image":"host","secrets":[{"name":"A"},{"name":"A"}]}""", "secret A is there twice")]
    [InlineData("""{"name":"x","image":"host","secrets":[{"name":"A","inject_at":"P"},{"name":"B","inject_at":"P"}]}""", "is taken by")]
    [InlineData("""{"name":"x","image":"host","setup":"true"}""", "field setup has the wrong type")]
    [InlineData("[]", "invalid request body")]
    public async Task A_bad_template_is_refused_with_its_field(string body, string named)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "templates", body);
        Assert.Equal((400, "BAD_REQUEST"), (status, answer.GetProperty("code").GetString()));
        Assert.Contains(named, answer.GetProperty("message").GetString());
        Assert.Equal("[]", (await server.SendAsync(HttpMethod.Get, "templates")).Body.GetRawText());
    }

    [Fact]
    public async Task Saving_twice_is_a_conflict_and_the_list_is_in_order()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        foreach (string name in new[] { "b", "a", "c" })
            Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, "templates/", $$"""{"name":"{{name}}","image":"host"}""")).Status);
        (int status, JsonElement answer) = await server.SendAsync(HttpMethod.Post, "templates", """{"name":"a","image":"other"}""");
        Assert.Equal((409, "CONFLICT"), (status, answer.GetProperty("code").GetString()));
        JsonElement list = (await server.SendAsync(HttpMethod.Get, "templates")).Body;
        Assert.Equal(["a", "b", "c"], list.EnumerateArray().Select(template => template.GetProperty("name").GetString()));
        Assert.Equal("host", list[0].GetProperty("image").GetString());
    }

    [Fact]
    public async Task A_put_keeps_what_it_does_not_give()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        JsonElement first = (await server.SendAsync(HttpMethod.Post, "templates",
            """{"name":"t","image":"host","description":"d","vcpus":2,"env":{"A":"1"},"setup":["true"],"metadata":{"k":"v"}}""")).Body;

        (int status, JsonElement second) = await server.SendAsync(HttpMethod.Put, "templates/t", """{"name":"ignored","memory_mb":64,"env":{},"description":""}""");

        Assert.Equal(200, status);
        Assert.Equal(("t", 2, 64, 2, "host"), (second.GetProperty("name").GetString(), second.GetProperty("version").GetInt32(), second.GetProperty("memory_mb").GetInt32(),
            second.GetProperty("vcpus").GetInt32(), second.GetProperty("image").GetString()));
        Assert.Equal(first.GetProperty("created_at").GetString(), second.GetProperty("created_at").GetString());
        Assert.NotEqual(first.GetProperty("updated_at").GetString(), second.GetProperty("updated_at").GetString());
        Assert.False(second.TryGetProperty("env", out _) || second.TryGetProperty("description", out _));
        Assert.Equal("""["true"]""", second.GetProperty("setup").GetRawText());
        Assert.Equal("v", second.GetProperty("metadata").GetProperty("k").GetString());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("POST")]
    public async Task An_unknown_template_is_not_found(string method)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        string path = method == "POST" ? "templates/none/spawn" : "templates/none";
        (int status, JsonElement answer) = await server.SendAsync(new HttpMethod(method), path, method is "PUT" ? "{}" : null);
        Assert.Equal((404, "NOT_FOUND", "not found: template none"), (status, answer.GetProperty("code").GetString(), answer.GetProperty("message").GetString()));
        if (method == "POST")
            Assert.Equal(404, (await server.SendAsync(HttpMethod.Post, "templates/%20/spawn")).Status);
    }

    [Theory]
    [InlineData("a/1", "a%2F1")]
    [InlineData("a/1", "a%2f1")]
    [InlineData("deep/er/still", "deep%2Fer%2Fstill")]
    [InlineData("with blank ü?#", "with%20blank%20%C3%BC%3F%23")]
    public async Task A_name_is_percent_encoded_in_the_path(string name, string encoded)
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (int status, JsonElement saved) = await server.SendAsync(HttpMethod.Post, "templates", JsonSerializer.Serialize(new { name, image = "host" }));
        Assert.True(status == 201, saved.ToString());

        Assert.Contains("HTTP/1.1 200", await RawAsync("GET", ""));
        string replaced = await RawAsync("PUT", "", """{"description":"changed"}""");
        Assert.Contains("HTTP/1.1 200", replaced);
        Assert.Contains("\"version\":2", replaced);
        string spawned = await RawAsync("POST", "/spawn");
        Assert.Contains("HTTP/1.1 201", spawned);
        Assert.Equal(name, JsonDocument.Parse(spawned[spawned.IndexOf('{')..]).RootElement.GetProperty("metadata").GetProperty("template").GetString() is { } kept
            ? System.Text.Encoding.UTF8.GetString(System.Text.Encoding.Latin1.GetBytes(kept)) : "");
        Assert.Contains("""{"status":"deleted"}""", await RawAsync("DELETE", ""));
        Assert.Contains("HTTP/1.1 404", await RawAsync("GET", ""));

        Task<string> RawAsync(string method, string tail, string body = "") => server.RawAsync(
            $"{method} /api/v1/templates/{encoded}{tail} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n{body}");
    }

    [Fact]
    public async Task Of_saves_that_meet_none_is_lost()
    {
        await using RunningServer server = await RunningServer.StartAsync();
        (int Status, JsonElement Body)[] created = await Task.WhenAll(Enumerable.Range(0, 16).Select(
            i => server.SendAsync(HttpMethod.Post, "templates", $$"""{"name":"t","image":"host","description":"{{i}}"}""")));
        Assert.Equal((1, 15), (created.Count(one => one.Status == 201), created.Count(one => one.Status == 409)));

        (int Status, JsonElement Body)[] replaced = await Task.WhenAll(
            server.SendAsync(HttpMethod.Put, "templates/t", """{"metadata":{"own":"1"}}"""),
            server.SendAsync(HttpMethod.Put, "templates/t", """{"env":{"OWN":"1"}}"""),
            server.SendAsync(HttpMethod.Put, "templates/t", """{"setup":["true"]}"""),
            server.SendAsync(HttpMethod.Put, "templates/t", """{"memory_mb":99}"""));

        Assert.All(replaced, one => Assert.Equal(200, one.Status));
        Assert.Equal([2, 3, 4, 5], replaced.Select(one => one.Body.GetProperty("version").GetInt32()).Order());
        JsonElement last = (await server.SendAsync(HttpMethod.Get, "templates/t")).Body;
        Assert.Equal((5, 99, "1", "1", 1), (last.GetProperty("version").GetInt32(), last.GetProperty("memory_mb").GetInt32(),
            last.GetProperty("metadata").GetProperty("own").GetString(), last.GetProperty("env").GetProperty("OWN").GetString(), last.GetProperty("setup").GetArrayLength()));
    }

    [Fact]
    public async Task The_scopes_are_those_of_the_SDKs_keys()
    {
        const string client = "client-key-of-some-length";
        await using RunningServer server = await RunningServer.StartAsync(auth: new AuthOptions { ApiKey = client, AdminApiKey = "admin-key-of-some-length" });
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Post, "templates", """{"name":"t","image":"host"}""")).Status);
        Assert.Equal(401, (await server.SendAsync(HttpMethod.Post, "templates/t/spawn")).Status);
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, "templates", """{"name":"t","image":"host"}""", ("X-API-Key", client))).Status);
        Assert.Equal(201, (await server.SendAsync(HttpMethod.Post, "templates/t/spawn", null, ("X-API-Key", client))).Status);
    }
}
