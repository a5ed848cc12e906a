using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Configuration;

public sealed class ConfigurationSecretTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void A_secret_comes_from_a_file_of_its_own_trimmed()
    {
        _sandbox.Environment["STACYVM_AUTH_API_KEY_FILE"] = _sandbox.Write("key", "  canary-1\n");
        _sandbox.WriteYaml($"auth: {{ admin_api_key_file: {_sandbox.Write("admin", "canary-2")} }}");

        AuthOptions auth = _sandbox.Load().Options.Auth;

        Assert.Equal("canary-1", auth.ApiKey);
        Assert.Equal("canary-2", auth.AdminApiKey);
    }

    [Fact]
    public void Value_and_file_together_are_a_fault()
    {
        _sandbox.WriteYaml("auth: { api_key: inline }");
        _sandbox.Environment["STACYVM_AUTH_API_KEY_FILE"] = _sandbox.Write("key", "canary");

        Assert.Contains("cannot both be set", Assert.Single(_sandbox.LoadFaults()).What);
    }

    [Fact]
    public void A_missing_or_empty_secret_file_is_a_fault()
    {
        _sandbox.Environment["STACYVM_AUTH_API_KEY_FILE"] = "nowhere";
        _sandbox.Environment["STACYVM_AUTH_ADMIN_API_KEY_FILE"] = _sandbox.Write("empty", " \n");

        Assert.Equal(["auth.admin_api_key_file", "auth.api_key_file"], _sandbox.LoadFaults().Select(fault => fault.Key).Order());
    }

    [Fact]
    public void Neither_show_nor_a_fault_repeats_a_secret()
    {
        _sandbox.WriteYaml("auth: { api_key: canary }\ndatabase: { dsn: canary }\nserver: { port: x }");
        Assert.DoesNotContain("canary", Assert.Throws<ConfigurationException>(_sandbox.Load).Message);

        _sandbox.WriteYaml("auth: { api_key: canary }\ndatabase: { dsn: canary }");
        LoadedConfiguration loaded = _sandbox.Load();
        Assert.Equal("(set)", loaded.Show().Single(row => row.Key.Name == "auth.api_key").Value);
        Assert.DoesNotContain(loaded.Show(), row => row.Value.Contains("canary"));
        Assert.DoesNotContain(loaded.Warnings, warning => warning.ToString().Contains("canary"));
    }

    [Fact]
    public void The_same_key_for_clients_and_operators_is_a_fault()
    {
        _sandbox.WriteYaml("auth: { api_key: canary, admin_api_key: canary }");

        Assert.Equal("auth.admin_api_key", Assert.Single(_sandbox.LoadFaults()).Key);
    }
}
