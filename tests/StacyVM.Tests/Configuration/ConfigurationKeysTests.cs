using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Configuration;

public sealed class ConfigurationKeysTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Names_and_variables_are_unique()
    {
        Assert.Distinct(ConfigurationKeys.All.Select(key => key.Name));
        Assert.Distinct(ConfigurationKeys.All.Select(key => key.Variable));
    }

    [Fact]
    public void Every_key_says_what_it_means() =>
        Assert.All(ConfigurationKeys.All, key => Assert.EndsWith(".", key.Meaning));

    [Fact]
    public void Every_default_is_a_value_that_its_key_accepts()
    {
        // Maps cannot be written as a text, and a default that depends on the machine is a sentence.
        foreach (ConfigurationKey key in ConfigurationKeys.All.Where(key => key.Type != "map" && key.DefaultNote is null && key.Default.Length > 0))
        {
            string text = key.Default.Trim('[', ']');
            var value = new ConfigurationValue(ConfigurationOrigin.Default) { Text = text };
            Assert.True(key.Apply(new StacyOptions { DataDir = "" }, value) is not null, $"{key.Name}: {key.Default}");
        }
    }

    [Fact]
    public void Show_lists_every_used_key_and_the_unused_ones_that_are_set()
    {
        _sandbox.WriteYaml("pool: { enabled: true }");

        var rows = _sandbox.Load().Show().ToList();

        Assert.Contains(rows, row => row.Key.Name == "server.port" && row.Value == "7423" && row.Origin == ConfigurationOrigin.Default);
        Assert.Contains(rows, row => row.Key.Name == "pool.enabled");
        Assert.DoesNotContain(rows, row => row.Key.Name == "pool.max_vms");
    }
}
