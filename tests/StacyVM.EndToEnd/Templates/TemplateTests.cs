using System.Net;
using System.Text;
using System.Text.Json;
using StacyVM.EndToEnd.Server;
using Xunit;

namespace StacyVM.EndToEnd.Templates;

/// <summary>Templates of the published binary, with real walls.</summary>
public sealed class TemplateTests
{
    private const string Canary = "canary-8c1e55ab07d94f36";

    [Fact]
    public async Task Files_secrets_environment_and_setup_are_there_before_the_sandbox_is_and_after_a_restart()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        await server.PostAsync("templates", $$"""
            {"name":"a/1","image":"host","ttl":"10m","memory_mb":128,"env":{"MODE":"test"},"files":{"/workspace/in/a.txt":"hello\n"},
             "setup":["cat in/a.txt > out.txt","echo $MODE $KEY >> out.txt; stat -c %a /workspace/.token >> out.txt"],
             "secrets":[{"name":"FILE","inject_at":"/workspace/.token","value":"s3cret-file"},{"name":"KEY","value":"s3cret-variable"}]}
            """);

        JsonElement sandbox = await server.PostAsync("templates/a%2F1/spawn", "");
        string id = sandbox.GetProperty("id").GetString()!;

        Assert.Equal(("running", "a/1", 128), (sandbox.GetProperty("state").GetString(), sandbox.GetProperty("metadata").GetProperty("template").GetString(), sandbox.GetProperty("memory_mb").GetInt32()));
        Assert.Equal("hello\ntest s3cret-variable\n600\n", await server.OutputAsync(id, "cat out.txt"));
        Assert.Equal("s3cret-file", await server.OutputAsync(id, "cat /workspace/.token"));
        Assert.Equal(await server.OutputAsync(id, "id -u"), await server.OutputAsync(id, "stat -c %u /workspace/.token"));
        Assert.Equal("test s3cret-variable\n", await server.OutputAsync(id, "echo $MODE $KEY"));
        using (HttpResponseMessage deleted = await server.Http.DeleteAsync("templates/a%2F1"))
            Assert.Equal(HttpStatusCode.OK, deleted.StatusCode);
        await server.KillAsync();
        await server.StartAgainAsync();
        Assert.Equal("test s3cret-variable\n", await server.OutputAsync(id, "echo $MODE $KEY"));
    }

    [Fact]
    public async Task Values_of_secrets_stand_nowhere_but_in_the_sandbox()
    {
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new() { ["STACYVM_LOGGING_LEVEL"] = "trace" });
        var answers = new StringBuilder();
        answers.Append(await server.PostAsync("templates", $$"""
            {"name":"t","image":"host","setup":["echo $KEY >/dev/null"],
             "secrets":[{"name":"KEY","value":"{{Canary}}-variable"},{"name":"FILE","inject_at":"/dev/shm/token","value":"{{Canary}}-file"}]}
            """));
        await server.PostAsync("templates", $$"""
            {"name":"bad","image":"host","setup":["echo it was $KEY >&2; exit 3"],"secrets":[{"name":"KEY","value":"{{Canary}}-variable"}]}
            """);
        answers.Append(await server.PostAsync("templates/t/spawn", "{}"));
        string id = JsonDocument.Parse(await server.Http.GetStringAsync("sandboxes")).RootElement[0].GetProperty("id").GetString()!;
        Assert.Equal($"{Canary}-variable\n", await server.OutputAsync(id, "echo $KEY"));
        using (HttpResponseMessage failed = await server.Http.PostAsync("templates/bad/spawn", null))
            answers.Append(await failed.Content.ReadAsStringAsync());
        foreach (string path in new[] { "templates", "templates/t", "sandboxes", $"sandboxes/{id}", $"sandboxes/{id}/logs", "health" })
            answers.Append(await server.Http.GetStringAsync(path));

        Assert.DoesNotContain(Canary, answers.ToString());
        Assert.Contains("ended with exit code 3: it was ***", answers.ToString());
        Assert.DoesNotContain(Canary, server.Log);
        int searched = 0;
        foreach (string file in Directory.EnumerateFiles(server.DataDirectory, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true, AttributesToSkip = FileAttributes.ReparsePoint }))
        {
            if (!File.GetUnixFileMode(file).HasFlag(UnixFileMode.UserRead) || new FileInfo(file).Length == 0)
                continue;
            await using var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            var copy = new MemoryStream();
            await stream.CopyToAsync(copy);
            Assert.False(Encoding.Latin1.GetString(copy.ToArray()).Contains(Canary, StringComparison.Ordinal), file);
            searched++;
        }
        Assert.True(searched > 3, $"only {searched} files");
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(server.DataDirectory, "secret-key")));
    }

    [Theory]
    [InlineData("exit 3", HttpStatusCode.BadRequest, "setup command 1 of 1 ended with exit code 3")]
    [InlineData("setsid sleep 300 & sleep 300", HttpStatusCode.RequestTimeout, "did not end within 2s")]
    public async Task A_setup_that_fails_leaves_nothing(string command, HttpStatusCode status, string message)
    {
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new() { ["STACYVM_DEFAULTS_DEFAULT_EXEC_TIMEOUT"] = "2s" });
        await server.PostAsync("templates", JsonSerializer.Serialize(new { name = "t", image = "host", setup = new[] { command } }));

        using HttpResponseMessage answer = await server.Http.PostAsync("sandboxes", new StringContent("""{"template":"t"}"""));

        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(message, await answer.Content.ReadAsStringAsync());
        Assert.Equal("[]\n", await server.Http.GetStringAsync("sandboxes"));
        await Leaks.NoneAsync(server);
    }

    [Fact]
    public async Task A_server_that_is_killed_during_a_setup_leaves_nothing()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        await server.PostAsync("templates", """{"name":"t","image":"host","setup":["sleep 300"]}""");
        Task<HttpResponseMessage> spawning = server.Http.PostAsync("templates/t/spawn", null);
        await Eventually.HoldsAsync(async () => (await server.GetAsync("sandboxes")).GetArrayLength() == 1, "the spawn has begun", server);

        await server.KillAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => spawning);
        await server.StartAgainAsync();

        await Eventually.HoldsAsync(async () => (await server.GetAsync("sandboxes")).GetArrayLength() == 0, "the half made sandbox is gone", server);
        await Leaks.NoneAsync(server);
    }

    [Fact]
    public async Task The_command_line_saves_shows_uses_and_removes_a_template()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string url = $"http://127.0.0.1:{server.Port}";
        StacyCli.Outcome saved = await StacyCli.RunAsync(
            ["--server", url, "template", "save", "a/1", "--image", "host", "--ttl", "10m", "--setup", "echo $MODE > made", "--env", "MODE=cli",
             "--secret", "KEY=API_KEY", "--secret-from", "KEY=-", "--allow-host", "example.com"],
            input: Canary + "\n");
        Assert.True(saved.Code == 0, saved.Error);
        Assert.Equal("Template a/1 saved (version 1)\n", saved.Out);
        Assert.Contains("allowed_hosts is stored and not enforced", saved.Error);
        Assert.Equal(5, (await StacyCli.RunAsync(server, "template", "save", "a/1", "--image", "host")).Code);
        Assert.Equal("Template a/1 saved (version 2)\n", (await StacyCli.RunAsync(server, "template", "save", "a/1", "--memory", "96", "--replace")).Out);
        Assert.Contains("a/1", (await StacyCli.RunAsync(server, "template", "list")).Out);
        StacyCli.Outcome shown = await StacyCli.RunAsync(server, "template", "get", "a/1");
        Assert.Contains("KEY at API_KEY", shown.Out);
        Assert.DoesNotContain(Canary, shown.Out);

        string first = (await StacyCli.RunAsync(server, "template", "spawn", "a/1", "-q")).Out.Trim();
        string second = (await StacyCli.RunAsync(server, "spawn", "--template", "a/1", "-q")).Out.Trim();
        foreach (string id in new[] { first, second })
            Assert.Equal($"cli\n{Canary}\n", (await StacyCli.RunAsync(server, "exec", id, "--shell", "cat made; echo $API_KEY")).Out);

        Assert.Equal("Template a/1 deleted\n", (await StacyCli.RunAsync(server, "template", "rm", "a/1")).Out);
        Assert.Equal(4, (await StacyCli.RunAsync(server, "template", "get", "a/1")).Code);
    }
}
