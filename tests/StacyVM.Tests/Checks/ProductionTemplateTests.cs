using StacyVM.Engine.Checks;
using StacyVM.Tests.Architecture;
using StacyVM.Tests.Configuration;
using Xunit;

namespace StacyVM.Tests.Checks;

public sealed class ProductionTemplateTests : IDisposable
{
    private readonly ConfigurationSandbox _sandbox = new();
    private readonly string _template = SourceTree.Read("deploy/stacyvm.production.yaml");

    public void Dispose() => _sandbox.Dispose();

    [Fact]
    public void Its_keys_have_to_be_replaced() =>
        Assert.Equal(["auth.api_key", "auth.admin_api_key"], Failing(_template));

    [Fact]
    public void With_keys_of_its_own_nothing_fails() =>
        Assert.Empty(Failing(_template.Replace("change-me-key-of-the-clients", new string('a', 64)).Replace("change-me-key-of-the-operators", new string('b', 64))));

    private IEnumerable<string> Failing(string yaml)
    {
        _sandbox.WriteYaml(yaml);
        File.SetUnixFileMode(Path.Combine(_sandbox.WorkingDirectory, "stacyvm.yaml"), UnixFileMode.UserRead | UnixFileMode.UserWrite);
        IReadOnlyList<Check> found = ConfigurationLint.Run(_sandbox.Sources, production: true);
        Assert.DoesNotContain(found, check => check.Message == "unknown key");
        return found.Where(check => check.Status == CheckStatus.Fail).Select(check => check.Name);
    }
}
