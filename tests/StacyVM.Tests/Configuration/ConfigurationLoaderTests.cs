using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Configuration;

public sealed class ConfigurationLoaderTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Without_any_source_the_defaults_are_safe()
    {
        LoadedConfiguration loaded = _sandbox.Load();

        Assert.Null(loaded.File);
        Assert.Empty(loaded.Warnings);
        Assert.Equal("127.0.0.1", loaded.Options.Server.Host);
        Assert.Equal(7423, loaded.Options.Server.Port);
        Assert.Equal("auto", loaded.Options.Providers.Default);
        Assert.Equal("none", loaded.Options.Providers.Docker.NetworkMode);
        Assert.Empty(loaded.Options.Server.CorsAllowedOrigins);
        Assert.False(loaded.Options.Auth.AllowAnonymous);
    }

    [Fact]
    public void Each_layer_wins_over_the_one_before()
    {
        _sandbox.WriteYaml("server: { port: 1001, host: 0.0.0.0, preview_domain: file.test }");
        _sandbox.Environment["STACYVM_SERVER_PORT"] = "1002";
        _sandbox.Environment["STACYVM_SERVER_HOST"] = "127.0.0.2";
        _sandbox.Flags["server.port"] = "1003";

        LoadedConfiguration loaded = _sandbox.Load();

        Assert.Equal(1003, loaded.Options.Server.Port);
        Assert.Equal("127.0.0.2", loaded.Options.Server.Host);
        Assert.Equal("file.test", loaded.Options.Server.PreviewDomain);
        Assert.Equal(ConfigurationLayer.Flag, loaded.Origins["server.port"].Layer);
        Assert.Equal("STACYVM_SERVER_HOST", loaded.Origins["server.host"].ToString());
        Assert.EndsWith("stacyvm.yaml:1", loaded.Origins["server.preview_domain"].Place);
    }

    [Fact]
    public void Only_the_first_existing_file_counts()
    {
        _sandbox.WriteYaml("server: { port: 1001 }");
        _sandbox.Write("home/.stacyvm/config.yaml", "server: { host: 0.0.0.0 }");

        LoadedConfiguration loaded = _sandbox.Load();

        Assert.Equal(1001, loaded.Options.Server.Port);
        Assert.Equal("127.0.0.1", loaded.Options.Server.Host);
    }

    [Fact]
    public void The_file_in_the_home_directory_counts_when_there_is_no_other()
    {
        string path = _sandbox.Write("home/.stacyvm/config.yaml", "server: { port: 1001 }");

        LoadedConfiguration loaded = _sandbox.Load();

        Assert.Equal(path, loaded.File);
        Assert.Equal(1001, loaded.Options.Server.Port);
    }

    [Fact]
    public void A_named_file_replaces_the_usual_ones()
    {
        _sandbox.WriteYaml("server: { port: 1001 }");
        _sandbox.Environment["STACYVM_CONFIG"] = _sandbox.Write("other.yaml", "server: { host: 0.0.0.0 }");

        Assert.Equal(7423, _sandbox.Load().Options.Server.Port);

        _sandbox.ConfigPath = _sandbox.Write("flag.yaml", "server: { port: 1004 }");
        Assert.Equal(1004, _sandbox.Load().Options.Server.Port);
    }

    [Fact]
    public void A_named_file_must_exist()
    {
        _sandbox.ConfigPath = "missing.yaml";

        ConfigurationFault fault = Assert.Single(_sandbox.LoadFaults());

        Assert.EndsWith("missing.yaml", fault.Key);
    }

    [Fact]
    public void Every_fault_is_listed_with_its_place_and_remedy()
    {
        _sandbox.WriteYaml("""
            server:
              port: 70000
              cors_allowed_origins: ["https://app.example/path"]
            defaults:
              ttl: 30
            logging: { level: loud }
            database: { driver: postgres }
            """);
        _sandbox.Environment["STACYVM_DEFAULTS_MAX_TTL"] = "-5m";

        IReadOnlyList<ConfigurationFault> faults = _sandbox.LoadFaults();

        Assert.Equal(
            ["database.driver", "defaults.max_ttl", "defaults.ttl", "logging.level", "server.cors_allowed_origins", "server.port"],
            faults.Select(fault => fault.Key).Order());
        ConfigurationFault port = faults.Single(fault => fault.Key == "server.port");
        Assert.EndsWith("stacyvm.yaml:2", port.Place);
        Assert.Contains("70000", port.What);
        Assert.Contains("0 to 65535", port.Remedy);
        Assert.All(faults, fault => Assert.NotEmpty(fault.Remedy));
    }

    [Theory]
    [InlineData("server: { prot: 1 }", "server.prot", "server.port")]
    [InlineData("docker: { runtime: runsc }", "docker.runtime", "providers.docker.runtime")]
    [InlineData("defaults: { max-ttl: 1h }", "defaults.max-ttl", "defaults.max_ttl")]
    public void An_unknown_key_is_reported_with_the_nearest_known_one(string yaml, string key, string nearest)
    {
        _sandbox.WriteYaml(yaml);

        ConfigurationFault warning = Assert.Single(_sandbox.Load().Warnings);

        Assert.Equal(key, warning.Key);
        Assert.Contains(nearest, warning.Remedy);
    }

    [Fact]
    public void A_misspelt_variable_is_reported_and_a_foreign_one_is_not()
    {
        _sandbox.Environment["STACYVM_SERVER_PROT"] = "1";
        _sandbox.Environment["STACYVM_SOMETHING_OF_SOMEBODY_ELSE"] = "1";
        _sandbox.Environment["STACYVM_API_KEY"] = "client";

        ConfigurationFault warning = Assert.Single(_sandbox.Load().Warnings);

        Assert.Equal("STACYVM_SERVER_PROT", warning.Key);
        Assert.Contains("STACYVM_SERVER_PORT", warning.Remedy);
    }

    [Fact]
    public void A_key_of_a_feature_that_is_not_there_is_checked_and_reported_only_when_set()
    {
        Assert.Empty(_sandbox.Load().Warnings);

        _sandbox.WriteYaml("pool: { enabled: true }");
        ConfigurationFault warning = Assert.Single(_sandbox.Load().Warnings);
        Assert.Equal("pool.enabled", warning.Key);
        Assert.Contains("not used by this version", warning.What);

        _sandbox.WriteYaml("rate_limit: { burst: many }");
        Assert.Equal("rate_limit.burst", Assert.Single(_sandbox.LoadFaults()).Key);
    }

    [Fact]
    public void Keys_have_no_case_and_the_keys_of_maps_keep_theirs()
    {
        _sandbox.WriteYaml("Server: { PORT: 1001 }\nproviders: { docker: { tmpfs: { /Scratch: size=1m } } }");

        StacyOptions options = _sandbox.Load().Options;

        Assert.Equal(1001, options.Server.Port);
        Assert.Equal("size=1m", options.Providers.Docker.Tmpfs["/Scratch"]);
    }

    [Fact]
    public void A_key_set_twice_in_two_cases_is_a_fault()
    {
        _sandbox.WriteYaml("server: { port: 1, Port: 2 }");

        Assert.Equal("server.port", Assert.Single(_sandbox.LoadFaults()).Key);
    }

    [Fact]
    public void Lists_come_as_yaml_or_with_commas()
    {
        _sandbox.WriteYaml("server: { allowed_hosts: [a.test, b.test] }");
        Assert.Equal(["a.test", "b.test"], _sandbox.Load().Options.Server.AllowedHosts);

        _sandbox.Environment["STACYVM_SERVER_ALLOWED_HOSTS"] = "c.test, d.test";
        Assert.Equal(["c.test", "d.test"], _sandbox.Load().Options.Server.AllowedHosts);
    }

    [Theory]
    [InlineData("*")]
    [InlineData("http://localhost:3000")]
    [InlineData("https://app.example")]
    public void An_origin_is_accepted(string origin)
    {
        _sandbox.Environment["STACYVM_SERVER_CORS_ALLOWED_ORIGINS"] = origin;

        Assert.Equal([origin], _sandbox.Load().Options.Server.CorsAllowedOrigins);
    }

    [Theory]
    [InlineData("app.example")]
    [InlineData("ftp://app.example")]
    [InlineData("https://app.example/")]
    [InlineData("https://app.example?x")]
    [InlineData("https://user@app.example")]
    [InlineData("https://app.example:99999")]
    public void Anything_else_is_no_origin(string origin)
    {
        _sandbox.Environment["STACYVM_SERVER_CORS_ALLOWED_ORIGINS"] = origin;

        Assert.Equal("server.cors_allowed_origins", Assert.Single(_sandbox.LoadFaults()).Key);
    }

    [Theory]
    [InlineData("512m", 512L << 20)]
    [InlineData("1g", 1L << 30)]
    [InlineData("100", 100)]
    public void Sizes_have_binary_units(string text, long bytes)
    {
        _sandbox.Flags["server.max_json_bytes"] = text;

        Assert.Equal(bytes, _sandbox.Load().Options.Server.MaxJsonBytes);
    }

    [Theory]
    [InlineData("server: [1, 2]")]
    [InlineData("- a")]
    [InlineData("server: {")]
    [InlineData("server: { port: [[1]] }")]
    [InlineData("a: &a { b: *a }")]
    [InlineData("? [1]\n: 2")]
    [InlineData("a: 1\n---\nb: 2")]
    public void A_file_of_the_wrong_shape_is_a_fault_or_a_warning_and_never_a_crash(string yaml)
    {
        _sandbox.WriteYaml(yaml);

        try
        {
            Assert.NotEmpty(_sandbox.Load().Warnings);
        }
        catch (ConfigurationException fault)
        {
            Assert.NotEmpty(fault.Faults);
        }
    }

    [Fact]
    public void An_empty_file_and_empty_sections_leave_the_defaults()
    {
        _sandbox.WriteYaml("");
        Assert.Equal(7423, _sandbox.Load().Options.Server.Port);

        _sandbox.WriteYaml("server:\ndefaults:\n  ttl:\n");
        Assert.Equal(TimeSpan.FromMinutes(30), _sandbox.Load().Options.Defaults.Ttl);
    }

    [Fact]
    public void A_default_provider_that_is_switched_off_is_a_fault()
    {
        _sandbox.WriteYaml("providers: { default: docker, docker: { enabled: false } }");

        Assert.Equal("providers.default", Assert.Single(_sandbox.LoadFaults()).Key);
    }

    [Fact]
    public void An_unknown_flag_is_a_fault()
    {
        _sandbox.Flags["server.prot"] = "1";

        Assert.Equal("server.prot", Assert.Single(_sandbox.LoadFaults()).Key);
    }
}
