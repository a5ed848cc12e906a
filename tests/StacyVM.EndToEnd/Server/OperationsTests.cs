using System.Text.Json;
using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>The commands of an operator on the published binary.</summary>
public sealed class OperationsTests : IDisposable
{
    private const string Canary = "canary-value-of-a-secret";

    private readonly string _folder = Directory.CreateTempSubdirectory("stacyvm-ops-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task The_production_template_fails_until_its_keys_are_replaced()
    {
        string template = await File.ReadAllTextAsync(Path.Combine(Path.GetDirectoryName(PublishedServer.Binary)!, "deploy/stacyvm.production.yaml"));
        string file = Path.Combine(_folder, "stacyvm.yaml");
        await WriteAsync(file, template);

        StacyCli.Outcome before = await RunAsync("config", "lint", "--production", "--file", file);
        Assert.Equal(1, before.Code);
        Assert.Contains("[FAIL] auth.api_key: still the placeholder of the template\n      fix: ", before.Out);
        Assert.Contains("Config lint found 2 failing check(s)", before.Error);

        await WriteAsync(file, template.Replace("change-me-key-of-the-clients", new string('a', 64)).Replace("change-me-key-of-the-operators", new string('b', 64)));
        StacyCli.Outcome after = await RunAsync("config", "lint", "--production", "--json", "--file", file);
        Assert.True(after.Code == 0, after.Out);
        Assert.Equal(0, JsonDocument.Parse(after.Out).RootElement.GetProperty("failed").GetInt32());
    }

    [Fact]
    public async Task Show_names_the_origin_of_each_value_and_hides_secrets()
    {
        string file = Path.Combine(_folder, "stacyvm.yaml");
        await WriteAsync(file, $"server:\n  port: 8123\nauth:\n  api_key: {Canary}\n");

        StacyCli.Outcome shown = await StacyCli.RunAsync(["config", "show", "--origin", "--config", file], new() { ["STACYVM_LOGGING_LEVEL"] = "warn" });

        Assert.Contains($"{file}:2", shown.Out.Split('\n').Single(line => line.StartsWith("server.port ", StringComparison.Ordinal)));
        Assert.Contains("STACYVM_LOGGING_LEVEL", shown.Out.Split('\n').Single(line => line.StartsWith("logging.level ", StringComparison.Ordinal)));
        Assert.DoesNotContain(Canary, shown.Out + shown.Error);
    }

    [Fact]
    public async Task Doctor_makes_a_sandbox_and_says_what_holds()
    {
        StacyCli.Outcome doctor = await RunAsync("doctor", "--json", "--data-dir", Path.Combine(_folder, "data"));

        Assert.True(doctor.Code == 0, doctor.Out + doctor.Error);
        List<string> passed = [.. JsonDocument.Parse(doctor.Out).RootElement.GetProperty("checks").EnumerateArray()
            .Where(check => check.GetProperty("status").GetString() == "PASS").Select(check => check.GetProperty("name").GetString()!)];
        Assert.Contains("bubblewrap", passed);
        Assert.Contains("bubblewrap.seccomp", passed);
        Assert.False(Directory.Exists(Path.Combine(_folder, "data")));
    }

    [Fact]
    public async Task A_backup_under_load_restores_and_the_server_finds_its_sandboxes_in_it()
    {
        string backup = Path.Combine(_folder, "backup.db");
        await using PublishedServer server = await PublishedServer.StartAsync();
        string id = await server.SpawnAsync();
        using var stop = new CancellationTokenSource();
        Task[] load = [.. Enumerable.Range(0, 4).Select(async _ =>
        {
            while (!stop.IsCancellationRequested)
                await server.OutputAsync(id, "echo load");
        })];

        StacyCli.Outcome made = await RunAsync("db", "backup", backup, "--data-dir", server.DataDirectory);
        Assert.True(made.Code == 0, made.Error);
        Assert.Equal($"backup written: {backup}\n", made.Out);
        StacyCli.Outcome refused = await RunAsync("db", "restore", backup, "--yes", "--data-dir", server.DataDirectory);
        Assert.NotEqual(0, refused.Code);
        Assert.Contains(server.Process.Id.ToString(), refused.Error);
        await stop.CancelAsync();
        await Task.WhenAll(load);

        await server.StopAsync();
        StacyCli.Outcome restored = await RunAsync("db", "restore", backup, "--yes", "--data-dir", server.DataDirectory);
        Assert.True(restored.Code == 0, restored.Error);
        Assert.Contains("existing database safety copy: ", restored.Out);
        Assert.Contains("database restored: ", restored.Out);
        await server.StartAgainAsync();
        Assert.Equal([id], await Eventually.RowsAreTrueAsync(server));
    }

    [Fact]
    public async Task A_rehearsal_beside_a_running_server_changes_nothing_and_tells_the_steps()
    {
        await using PublishedServer server = await PublishedServer.StartAsync();
        string[] before = [.. Directory.EnumerateFiles(server.DataDirectory).Order()];

        StacyCli.Outcome found = await RunAsync("upgrade", "rehearse", "--data-dir", server.DataDirectory);

        Assert.Equal(1, found.Code);
        Assert.Contains("[PASS] database.migrations: ", found.Out);
        Assert.Contains("  6. ", found.Out);
        Assert.Equal(before, Directory.EnumerateFiles(server.DataDirectory).Order());
    }

    [Fact]
    public async Task A_bundle_holds_no_secret_of_the_file_the_environment_or_the_server()
    {
        string file = Path.Combine(_folder, "stacyvm.yaml"), bundle = Path.Combine(_folder, "bundle.json");
        await WriteAsync(file, string.Join('\n', SecretsAsYaml()));
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new() { ["STACYVM_AUTH_API_KEY"] = Canary });
        server.Http.DefaultRequestHeaders.Add("X-API-Key", Canary);

        StacyCli.Outcome made = await StacyCli.RunAsync(
            ["support", "bundle", bundle, "--include-doctor", "--include-server", "--config", file, "--server", $"http://127.0.0.1:{server.Port}", "--data-dir", server.DataDirectory],
            new() { ["STACYVM_API_KEY"] = Canary, ["DOCKER_HOST"] = $"tcp://ada:{Canary}@127.0.0.1:1" });

        Assert.True(made.Code == 0, made.Error);
        string text = await File.ReadAllTextAsync(bundle);
        Assert.DoesNotContain(Canary, text + made.Out + made.Error);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(bundle));
        JsonElement root = JsonDocument.Parse(text).RootElement;
        Assert.True(root.GetProperty("doctor").GetArrayLength() > 5);
        Assert.Equal("[REDACTED]", root.GetProperty("config").GetProperty("auth.api_key").GetProperty("value").GetString());
    }

    [Fact]
    public async Task No_help_repeats_a_secret_of_the_environment()
    {
        Dictionary<string, string> environment = ConfigurationKeys.All.Where(key => key.IsSecret).ToDictionary(key => key.Variable, _ => Canary);
        foreach (string name in (string[])["STACYVM_API_KEY", "STACYVM_ADMIN_API_KEY", "STACYVM_WORKER_BOOTSTRAP_ADMIN_KEY"])
            environment[name] = Canary;
        foreach (string[] command in StacyVM.Cli.CommandLine.Paths())
        {
            StacyCli.Outcome help = await StacyCli.RunAsync([.. command, "--help"], environment);
            Assert.True(help.Code == 0, string.Join(' ', command) + help.Error);
            Assert.DoesNotContain(Canary, help.Out + help.Error);
        }
    }

    [Fact]
    public async Task A_key_comes_from_a_file_and_no_error_repeats_it()
    {
        string file = Path.Combine(_folder, "key");
        await using PublishedServer server = await PublishedServer.StartAsync(environment: new() { ["STACYVM_AUTH_API_KEY"] = Canary });
        server.Http.DefaultRequestHeaders.Add("X-API-Key", Canary);

        await WriteAsync(file, Canary + "\n");
        StacyCli.Outcome right = await StacyCli.RunAsync(server, "list", "--api-key-file", file);
        Assert.Equal((0, "No active sandboxes\n"), (right.Code, right.Out));

        await WriteAsync(file, Canary + "-and-wrong\n");
        StacyCli.Outcome wrong = await StacyCli.RunAsync(server, "list", "--api-key-file", file);
        Assert.Equal(3, wrong.Code);
        Assert.DoesNotContain(Canary, wrong.Out + wrong.Error);
    }

    [Fact]
    public async Task Set_up_serve_and_uninstall_leave_a_home_as_it_was()
    {
        string home = Path.Combine(_folder, "home"), binary = Path.Combine(home, "bin/stacyvm"), data = Path.Combine(home, "data");
        Directory.CreateDirectory(Path.GetDirectoryName(binary)!);
        // Sandboxes have users of their own, who pass through.
        foreach (string directory in (string[])[_folder, home])
            File.SetUnixFileMode(directory, (UnixFileMode)0b111_001_001);
        File.Copy(PublishedServer.Binary, binary);
        await File.WriteAllTextAsync(Path.Combine(home, ".bashrc"), "alias a=b\n");
        var environment = new Dictionary<string, string> { ["HOME"] = home, ["STACYVM_DATA_DIR"] = data };

        StacyCli.Outcome setup = await StacyCli.RunAsync(["setup", "--yes", "--provider", "bubblewrap", "--completion", "true"], environment, binary: binary);
        Assert.True(setup.Code == 0, setup.Error);
        Assert.Contains("stacyvm completion bash", await File.ReadAllTextAsync(Path.Combine(home, ".bashrc")));

        // A sandbox that outlives its server is found again and destroyed.
        await using (var life = await HomeServer.StartAsync(binary, environment))
            await life.SpawnAsync();
        StacyCli.Outcome gone = await StacyCli.RunAsync(["uninstall", "--force"], environment, binary: binary);

        Assert.True(gone.Code == 0, gone.Out + gone.Error);
        Assert.Equal([Path.Combine(home, ".bashrc"), Path.Combine(home, "bin")], Directory.EnumerateFileSystemEntries(home, "*", SearchOption.AllDirectories).Order());
        Assert.Equal("alias a=b\n", await File.ReadAllTextAsync(Path.Combine(home, ".bashrc")));
        Assert.DoesNotContain(Processes(), line => line.Contains(data));
    }

    private static Task<StacyCli.Outcome> RunAsync(params string[] arguments) => StacyCli.RunAsync(arguments);

    private static IEnumerable<string> SecretsAsYaml() =>
        from key in ConfigurationKeys.All
        where key.IsSecret && key.Name != "auth.admin_api_key"
        group key by key.Name.Split('.')[0] into section
        select $"{section.Key}: {{ {string.Join(", ", section.GroupBy(key => string.Join('.', key.Name.Split('.')[1..^1])).Select(Inner))} }}";

    private static string Inner(IGrouping<string, ConfigurationKey> group)
    {
        string keys = string.Join(", ", group.Select(key => $"{key.Name.Split('.')[^1]}: {Form(key)}"));
        return group.Key.Length == 0 ? keys : $"{group.Key}: {{ {keys} }}";
    }

    /// <summary>Each a secret of its own: two keys that are the same are a fault of some configurations.</summary>
    private static string Form(ConfigurationKey key)
    {
        string secret = $"{Canary}-{key.Name.Replace('.', '-').Replace('_', '-')}";
        return key.Type switch { "list" => $"[{secret}]", "map" => $"{{ worker: {secret} }}", _ => secret };
    }

    private static IEnumerable<string> Processes()
    {
        foreach (string directory in Directory.EnumerateDirectories("/proc"))
        {
            string line = "";
            try
            {
                if (char.IsAsciiDigit(Path.GetFileName(directory)[0]))
                    line = File.ReadAllText(Path.Combine(directory, "cmdline"));
            }
            catch (IOException)
            {
                // It ended meanwhile.
            }
            yield return line;
        }
    }

    private static async Task WriteAsync(string path, string text)
    {
        await File.WriteAllTextAsync(path, text);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }
}
