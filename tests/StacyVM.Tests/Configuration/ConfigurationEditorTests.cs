using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Configuration;

/// <summary>All of what is asked for, or nothing.</summary>
public sealed class ConfigurationEditorTests : IDisposable
{
    private const string Written = """
        # our server
        auth:
          api_key: do-not-lose-this-key   # the clients'
        defaults:
          ttl: 30m
        logging:
          level: info

        """;

    private readonly ConfigurationSandbox _place = new();
    private readonly List<string> _applied = [];

    [Fact]
    public void Keys_change_and_everything_else_stays()
    {
        string path = _place.Write("work/stacyvm.yaml", Written);
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);

        ConfigurationChange change = Editor().Change(Values(("defaults.ttl", "5m"), ("Logging.Level", "debug"), ("defaults.max_sandboxes", "7")));

        Assert.Equal(Written.Replace("30m", "5m0s").Replace("level: info", "level: debug").Replace("defaults:\n", "defaults:\n  max_sandboxes: 7\n"), File.ReadAllText(path));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        Assert.Equal(Written, File.ReadAllText(change.Backup!));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(change.Backup!));
        Assert.Equal(["logging.level"], change.Applied);
        Assert.Equal(["defaults.ttl", "defaults.max_sandboxes"], change.AfterRestart);
        Assert.Equal(["debug"], _applied);
        Assert.Equal(TimeSpan.FromMinutes(5), _place.Load().Options.Defaults.Ttl);
        Assert.Equal("do-not-lose-this-key", _place.Load().Options.Auth.ApiKey);
        Assert.Equal(2, Directory.GetFiles(Path.GetDirectoryName(path)!).Length);
    }

    [Theory]
    [InlineData("nonsense", "1", "there is no key")]
    [InlineData("defaults.tll", "5m", "defaults.ttl is near")]
    [InlineData("auth.api_key", "mine", "cannot be changed over HTTP")]
    [InlineData("auth.admin_api_key", "mine", "cannot be changed over HTTP")]
    [InlineData("auth.allow_anonymous", "true", "cannot be changed over HTTP")]
    [InlineData("auth.metrics_token", "mine", "cannot be changed over HTTP")]
    [InlineData("server.host", "0.0.0.0", "cannot be changed over HTTP")]
    [InlineData("server.cors_allowed_origins", "*", "cannot be changed over HTTP")]
    [InlineData("data_dir", "/tmp", "cannot be changed over HTTP")]
    [InlineData("database.path", "/etc/passwd", "cannot be changed over HTTP")]
    [InlineData("database.retention", "1s", "cannot be changed over HTTP")]
    [InlineData("logging.audit", "false", "cannot be changed over HTTP")]
    [InlineData("logging.exec_output", "true", "cannot be changed over HTTP")]
    [InlineData("providers.bubblewrap.bwrap_path", "/tmp/evil", "cannot be changed over HTTP")]
    [InlineData("providers.docker.socket", "tcp://evil", "cannot be changed over HTTP")]
    [InlineData("providers.docker.seccomp_profile", "unconfined", "cannot be changed over HTTP")]
    [InlineData("providers.docker.network_mode", "host", "cannot be changed over HTTP")]
    [InlineData("providers.docker.added_caps", "ALL", "cannot be changed over HTTP")]
    [InlineData("providers.firecracker.firecracker_path", "/tmp/evil", "cannot be changed over HTTP")]
    [InlineData("providers.mock.enabled", "true", "cannot be changed over HTTP")]
    [InlineData("defaults.image", "evil/image", "cannot be changed over HTTP")]
    [InlineData("defaults.ttl", "soon", "must be a duration")]
    [InlineData("defaults.ttl", "5m\nauth:\n  allow_anonymous: true", "must be a duration")]
    [InlineData("defaults.max_sandboxes", "-1", "must be a whole number")]
    [InlineData("defaults.max_sandboxes", "many", "must be a whole number")]
    [InlineData("logging.level", "loud", "must be one of")]
    [InlineData("logging.level", null, "must be one of")]
    public void One_bad_key_among_good_ones_changes_nothing(string key, string? value, string because)
    {
        string path = _place.Write("work/stacyvm.yaml", Written);

        StacyVMException problem = Assert.Throws<StacyVMException>(() => Editor().Change(Values(("logging.format", "pretty"), (key, value), ("defaults.vcpus", "2"))));

        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.Contains(because, problem.Message);
        Assert.Contains("Nothing was changed", problem.Message);
        Assert.DoesNotContain("evil", problem.Message);
        Assert.Equal(Written, File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
        Assert.Empty(_applied);
    }

    [Fact]
    public void Every_fault_is_named_at_once()
    {
        _place.WriteYaml(Written);
        StacyVMException problem = Assert.Throws<StacyVMException>(() => Editor().Change(Values(("server.host", "0.0.0.0"), ("logging.level", "loud"), ("LOGGING.LEVEL", "info"), ("zzz", "1"))));
        Assert.Contains("server.host", problem.Message);
        Assert.Contains("logging.level", problem.Message);
        Assert.Contains("zzz", problem.Message);
        Assert.Throws<StacyVMException>(() => Editor().Change(Values()));
        Assert.Contains("given twice", Assert.Throws<StacyVMException>(() => Editor().Change(Values(("logging.level", "warn"), ("LOGGING.LEVEL", "info")))).Message);
    }

    [Fact]
    public void Without_a_file_one_is_made_where_the_next_start_finds_it()
    {
        ConfigurationChange change = Editor().Change(Values(("defaults.ttl", "5m")));

        Assert.Null(change.Backup);
        Assert.Equal(Path.Combine(_place.Home, ".stacyvm/config.yaml"), change.File);
        Assert.Equal("defaults:\n  ttl: 5m0s\n", File.ReadAllText(change.File));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(change.File));
        Assert.Equal(TimeSpan.FromMinutes(5), _place.Load().Options.Defaults.Ttl);
    }

    [Fact]
    public void What_a_variable_or_a_flag_sets_is_said_to_win()
    {
        _place.WriteYaml(Written);
        _place.Environment["STACYVM_LOGGING_LEVEL"] = "warn";
        _place.Flags["defaults.ttl"] = "1h";

        ConfigurationChange change = Editor().Change(Values(("logging.level", "debug"), ("defaults.ttl", "5m"), ("defaults.vcpus", "1")));

        Assert.Equal(["logging.level", "defaults.ttl"], change.Overridden);
        // The value that is in force already needs no restart.
        Assert.Equal(["defaults.vcpus"], change.Applied);
        Assert.Empty(_applied);
    }

    [Fact]
    public void A_link_stays_a_link_and_secrets_of_the_environment_stay_out_of_the_file()
    {
        string real = _place.Write("elsewhere/real.yaml", "logging:\n  level: info\n");
        File.CreateSymbolicLink(Path.Combine(_place.WorkingDirectory, "stacyvm.yaml"), real);
        _place.Environment["STACYVM_AUTH_API_KEY"] = "secret-of-the-environment";

        ConfigurationChange change = Editor().Change(Values(("logging.level", "error")));

        Assert.Equal(real, change.File);
        Assert.Equal("logging:\n  level: error\n", File.ReadAllText(real));
        Assert.NotNull(File.ResolveLinkTarget(Path.Combine(_place.WorkingDirectory, "stacyvm.yaml"), returnFinalTarget: false));
        Assert.DoesNotContain("secret-of-the-environment", File.ReadAllText(real) + File.ReadAllText(change.Backup!));
    }

    [Theory]
    [InlineData("logging: &l\n  level: info\nother: *l\n...\n", "defaults.ttl")]
    [InlineData("logging:\n  level: [info\n", "logging.level")]
    public void A_file_that_cannot_be_edited_is_left_alone(string text, string key)
    {
        string path = _place.Write("work/stacyvm.yaml", "logging:\n  level: info\n");
        ConfigurationEditor editor = Editor();
        File.WriteAllText(path, text);

        StacyVMException problem = Assert.Throws<StacyVMException>(() => editor.Change(Values((key, key == "logging.level" ? "warn" : "5m"))));

        Assert.Contains(problem.Kind, (ProblemKind[])[ProblemKind.Conflict, ProblemKind.InvalidInput]);
        Assert.Equal(text, File.ReadAllText(path));
        Assert.Equal([path], Directory.GetFiles(Path.GetDirectoryName(path)!));
    }

    [Fact]
    public void What_a_start_would_refuse_is_refused_here()
    {
        string path = _place.Write("work/stacyvm.yaml", "logging:\n  level: info\n");
        ConfigurationEditor editor = Editor();
        const string Broken = "logging:\n  level: info\nserver:\n  port: none\n";
        File.WriteAllText(path, Broken);

        StacyVMException problem = Assert.Throws<StacyVMException>(() => editor.Change(Values(("logging.level", "warn"))));

        Assert.Contains("server.port", problem.Message);
        Assert.Contains(path, problem.Message);
        Assert.Equal(Broken, File.ReadAllText(path));
    }

    [Fact]
    public void The_list_of_changeable_keys_is_closed()
    {
        Assert.All(ChangeableKeys.All, key => Assert.False(key.IsSecret));
        Assert.All(ChangeableKeys.All, key => Assert.DoesNotContain(key.Type, (string[])["path", "url", "address", "list", "map", "string"]));
        Assert.All(ChangeableKeys.All, key => Assert.Contains(key.Name.Split('.')[0], (string[])["server", "defaults", "rate_limit", "logging"]));
    }

    public void Dispose() => _place.Dispose();

    private ConfigurationEditor Editor() => new(_place.Sources, _place.Load(), new Dictionary<string, Action<StacyOptions>>
    {
        ["logging.level"] = options => _applied.Add(options.Logging.Level),
    });

    private static Dictionary<string, ConfigurationValue?> Values(params ReadOnlySpan<(string Key, string? Text)> values)
    {
        var all = new Dictionary<string, ConfigurationValue?>();
        foreach ((string key, string? text) in values)
            all[key] = text is null ? null : new ConfigurationValue(ConfigurationOrigin.Flag(key)) { Text = text };
        return all;
    }
}
