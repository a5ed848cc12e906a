using StacyVM.Engine.Configuration;
using Xunit;

namespace StacyVM.Tests.Configuration;

/// <summary>One value changes, everything else stays, letter by letter.</summary>
public sealed class ConfigurationTextTests
{
    [Theory]
    [InlineData("", "defaults:\n  ttl: 5m\n")]
    [InlineData("# nothing yet\n", "# nothing yet\ndefaults:\n  ttl: 5m\n")]
    [InlineData("server:\n  port: 1", "server:\n  port: 1\ndefaults:\n  ttl: 5m\n")]
    [InlineData("defaults:\n  # short\n  ttl: 30m # for tests\n  vcpus: 2\n", "defaults:\n  # short\n  ttl: 5m # for tests\n  vcpus: 2\n")]
    [InlineData("defaults:\n  ttl: \"30m\"   # quoted\n", "defaults:\n  ttl: 5m   # quoted\n")]
    [InlineData("Defaults:\n    TTL: 30m\n", "Defaults:\n    TTL: 5m\n")]
    [InlineData("defaults:   # limits\n    # about processors\n    vcpus: 2\n", "defaults:   # limits\n    ttl: 5m\n    # about processors\n    vcpus: 2\n")]
    [InlineData("defaults:\nserver:\n  port: 1\n", "defaults:\n  ttl: 5m\nserver:\n  port: 1\n")]
    [InlineData("defaults: {vcpus: 2}\n", "defaults: { ttl: 5m,vcpus: 2}\n")]
    [InlineData("defaults: {}\n", "defaults: { ttl: 5m }\n")]
    [InlineData("defaults.ttl: 30m\n", "defaults.ttl: 5m\n")]
    [InlineData("server:\r\n  port: 1\r\n", "server:\r\n  port: 1\r\ndefaults:\r\n  ttl: 5m\r\n")]
    [InlineData("defaults:\n  ttl:\n  vcpus: 2\n", "defaults:\n  ttl: 5m\n  vcpus: 2\n")]
    public void A_value_is_exchanged_in_place(string before, string after) => Assert.Equal(after, ConfigurationText.Set(before, "defaults.ttl", "5m"));
}
