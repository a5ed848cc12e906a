using System.Text.Json;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>The main job through the command line, as a newcomer does it.</summary>
public sealed class CommandLineTests
{
    [Fact]
    public async Task The_main_job_from_spawn_to_kill()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = Json(await StacyCli.RunAsync(server, "spawn", "--ttl", "10m", "--json")).GetProperty("id").GetString()!;
        Assert.Contains(id, Succeeded(await StacyCli.RunAsync(server, "list")));

        string local = Directory.CreateTempSubdirectory("stacyvm-cp-").FullName;
        await File.WriteAllTextAsync(Path.Combine(local, "program.py"), "import sys\nprint('out')\nprint('err', file=sys.stderr)\nopen('/workspace/result','w').write('42')\nsys.exit(7)\n");
        Directory.CreateDirectory(Path.Combine(local, "deep", "er"));
        await File.WriteAllBytesAsync(Path.Combine(local, "deep", "er", "bytes"), [0, 255, 10, 13, 0]);
        Succeeded(await StacyCli.RunAsync(server, "cp", local, $"{id}:/workspace/up"));
        StacyCli.Outcome ran = await StacyCli.RunAsync(server, "exec", id, "--", "python3", "/workspace/up/program.py");
        Assert.Equal((7, "out\n", "err\n"), (ran.Code, ran.Out, ran.Error));

        Succeeded(await StacyCli.RunAsync(server, "cp", $"{id}:/workspace/result", Path.Combine(local, "result")));
        Assert.Equal("42", await File.ReadAllTextAsync(Path.Combine(local, "result")));
        Succeeded(await StacyCli.RunAsync(server, "cp", $"{id}:/workspace/up/deep", Path.Combine(local, "back")));
        Assert.Equal([0, 255, 10, 13, 0], await File.ReadAllBytesAsync(Path.Combine(local, "back", "er", "bytes")));
        Assert.Contains("result", Succeeded(await StacyCli.RunAsync(server, "ls", id, "/workspace")));

        Assert.Equal($"http://8000-{id}.localhost:{server.Port}", Succeeded(await StacyCli.RunAsync(server, "preview", id, "8000")).Trim().TrimEnd('/'));
        Succeeded(await StacyCli.RunAsync(server, "extend", id, "1h"));
        Assert.Equal(id, Json(await StacyCli.RunAsync(server, "get", id, "--json")).GetProperty("id").GetString());
        Assert.Contains(id, Succeeded(await StacyCli.RunAsync(server, "kill", id)));
        Assert.Contains("No active sandboxes", Succeeded(await StacyCli.RunAsync(server, "list")));
        Directory.Delete(local, recursive: true);
    }

    [Fact]
    public async Task Exec_passes_input_environment_directory_and_signals_of_time()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        string[] prefix = ["--server", $"http://127.0.0.1:{server.Port}", "exec"];
        Assert.Equal("fed in", (await StacyCli.RunAsync([.. prefix, "-i", id, "--", "cat"], input: "fed in")).Out);
        Assert.Equal("v /tmp\n", (await StacyCli.RunAsync([.. prefix, "--env", "K=v", "--workdir", "/tmp", "--shell", id, "--", "echo $K $PWD"])).Out);
        Assert.Equal(124, (await StacyCli.RunAsync([.. prefix, "--timeout", "200ms", id, "--", "sleep", "30"])).Code);
        Assert.Equal(127, (await StacyCli.RunAsync([.. prefix, id, "--", "no-such-program"])).Code);
    }

    [Fact]
    public async Task Errors_name_the_id_and_say_what_to_do()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        StacyCli.Outcome unknown = await StacyCli.RunAsync(server, "exec", "sb-0000000000000000", "--", "true");
        Assert.Equal(4, unknown.Code);
        Assert.Contains("sb-0000000000000000", unknown.Error);
        StacyCli.Outcome nobody = await StacyCli.RunAsync(["--server", "http://127.0.0.1:9", "list"]);
        Assert.NotEqual(0, nobody.Code);
        Assert.Contains("stacyvm serve", nobody.Error);
    }

    private static string Succeeded(StacyCli.Outcome outcome)
    {
        Assert.True(outcome.Code == 0, $"exit {outcome.Code}: {outcome.Out}{outcome.Error}");
        return outcome.Out;
    }

    private static JsonElement Json(StacyCli.Outcome outcome) => JsonDocument.Parse(Succeeded(outcome)).RootElement;
}
