using StacyVM.Engine.Checks;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Checks;

public sealed class ConfigurationLintTests : IDisposable
{
    private const string Key = "0123456789abcdef0123456789abcdef";
    private const string AdminKey = "fedcba9876543210fedcba9876543210";

    private readonly ConfigurationSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void The_default_configuration_only_warns_and_fails_in_production()
    {
        Assert.DoesNotContain(Lint(production: false), check => check.Status == CheckStatus.Fail);
        Assert.Contains(Lint(production: true), check => check is { Name: "auth.api_key", Status: CheckStatus.Fail });
    }

    [Fact]
    public void Every_fault_of_a_file_that_does_not_load_is_a_failure()
    {
        _sandbox.WriteYaml("server: { port: many }\ndefaults: { ttl: soon }");

        IReadOnlyList<Check> found = Lint(production: false);

        Assert.All(found, check => Assert.Equal(("config", CheckStatus.Fail), (check.Name, check.Status)));
        Assert.Equal(2, found.Count);
        Assert.All(found, check => Assert.NotEmpty(check.Remedy));
    }

    [Theory]
    [InlineData("auth: { allow_anonymous: true }", "auth.enabled")]
    [InlineData("auth: { api_key: short }", "auth.api_key")]
    [InlineData("auth: { api_key: please-CHANGE-ME-please-change-me-now }", "auth.api_key")]
    [InlineData("auth: { admin_api_key: changeme0123456789abcdef0123456789abc }", "auth.admin_api_key")]
    [InlineData("auth: { admin_fallback_enabled: true }", "auth.admin_fallback_enabled")]
    [InlineData("server: { cors_allowed_origins: ['*'] }", "server.cors_allowed_origins")]
    [InlineData("database: { path: relative.db }", "database.path")]
    [InlineData("defaults: { max_sandboxes: 0 }", "defaults.sandbox_caps")]
    [InlineData("defaults: { max_exec_timeout: 0s }", "defaults.exec_timeouts")]
    [InlineData("defaults: { max_ttl: 0s }", "defaults.max_ttl")]
    [InlineData("logging: { format: pretty }", "logging.format")]
    [InlineData("providers: { default: mock, mock: { enabled: true } }", "providers.default")]
    [InlineData("providers: { mock: { enabled: true } }", "providers.mock.enabled")]
    [InlineData("providers: { docker: { network_mode: host } }", "docker.network_mode")]
    [InlineData("providers: { docker: { seccomp_profile: unconfined } }", "docker.seccomp_profile")]
    [InlineData("providers: { docker: { added_caps: [NET_ADMIN] } }", "docker.added_caps")]
    [InlineData("providers: { docker: { dropped_caps: [NET_RAW] } }", "docker.dropped_caps")]
    [InlineData("providers: { docker: { user: '0:0' } }", "docker.user")]
    public void What_is_unfit_for_production_warns_and_then_fails(string yaml, string name)
    {
        _sandbox.WriteYaml(yaml);

        Check warned = Lint(production: false).Single(check => check.Name == name);
        Check failed = Lint(production: true).Single(check => check.Name == name);

        Assert.Equal((CheckStatus.Warn, CheckStatus.Fail), (warned.Status, failed.Status));
        Assert.NotEmpty(failed.Remedy);
    }

    [Theory]
    [InlineData("providers: { default: auto }", "providers.default", "Warn")]
    [InlineData("providers: { docker: { network_mode: bridge } }", "docker.network_mode", "Warn")]
    [InlineData("server: { portt: 1 }", "server.portt", "Warn")]
    [InlineData("providers: { default: docker }", "docker.user", "Pass")]
    [InlineData("database: { path: /var/lib/stacyvm/stacyvm.db }", "database.path", "Pass")]
    public void Some_things_are_the_same_everywhere(string yaml, string name, string wanted)
    {
        _sandbox.WriteYaml(yaml);

        Assert.Equal(wanted, Lint(production: true).Single(check => check.Name == name).Status.ToString());
    }

    [Fact]
    public void Docker_is_not_spoken_of_where_nothing_uses_it()
    {
        _sandbox.WriteYaml("providers: { default: bubblewrap }");

        Assert.DoesNotContain(Lint(production: true), check => check.Name.StartsWith("docker.", StringComparison.Ordinal));
    }

    [Fact]
    public void A_feature_that_is_not_in_this_version_never_passes()
    {
        foreach (LintRule rule in LintRules.All.Where(rule => rule.Keys.Any(key => !ConfiguredValues.IsUsed(key))))
            Assert.DoesNotContain(Lint(production: true), check => check.Name == rule.Name && check.Status == CheckStatus.Pass);
    }

    [Fact]
    public void A_key_without_effect_is_named_once()
    {
        string key = LintRules.All.SelectMany(rule => rule.Keys).Distinct().First(name => !ConfiguredValues.IsUsed(name) && name == "worker.rpc_tls.enabled");
        _sandbox.WriteYaml("worker: { rpc_tls: { enabled: true } }");

        Check found = Lint(production: true).Single(check => check.Name == key);

        Assert.Equal(CheckStatus.Warn, found.Status);
        Assert.Contains("no effect", found.Message);
    }

    [Fact]
    public void Good_keys_pass_and_are_never_repeated()
    {
        _sandbox.WriteYaml($"auth: {{ api_key: {Key}, admin_api_key: {AdminKey}, admin_fallback_enabled: false }}");

        IReadOnlyList<Check> found = Lint(production: true);

        foreach (string name in (string[])["auth.enabled", "auth.api_key", "auth.admin_api_key", "auth.key_separation", "auth.admin_fallback_enabled"])
            Assert.Equal(CheckStatus.Pass, found.Single(check => check.Name == name).Status);
        Assert.DoesNotContain(found, check => (check.Message + check.Remedy).Contains(Key) || (check.Message + check.Remedy).Contains(AdminKey));
    }

    [Fact]
    public void A_file_with_secrets_is_for_its_owner_alone()
    {
        _sandbox.WriteYaml($"auth: {{ api_key: {Key} }}");
        string file = Path.Combine(_sandbox.WorkingDirectory, "stacyvm.yaml");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Assert.Equal(CheckStatus.Fail, Lint(production: true).Single(check => check.Name == "config.mode").Status);

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        Assert.DoesNotContain(Lint(production: true), check => check.Name == "config.mode");
    }

    [Fact]
    public void Every_rule_reads_keys_that_exist_and_has_a_name_of_its_own()
    {
        Assert.All(LintRules.All.SelectMany(rule => rule.Keys), key => Assert.NotNull(Engine.Configuration.ConfigurationKeys.Find(key)));
        Assert.Equal(LintRules.All.Count, LintRules.All.Select(rule => rule.Name).Distinct().Count());
    }

    private IReadOnlyList<Check> Lint(bool production) => ConfigurationLint.Run(_sandbox.Sources, production);
}
