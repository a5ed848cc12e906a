using StacyVM.Engine.Templates;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using Xunit;

namespace StacyVM.Tests.Templates;

public sealed class TemplateRulesTests
{
    [Theory]
    [InlineData("python")]
    [InlineData("a/1")]
    [InlineData("My template ü")]
    [InlineData("team:python@3.12")]
    public void Names_are_kept_as_they_are(string name) => Assert.Equal(name, TemplateRules.CheckName(name));

    [Theory]
    [InlineData("")]
    [InlineData(" a")]
    [InlineData("a ")]
    [InlineData("a%2Fb")]
    [InlineData("a\\b")]
    [InlineData("a\nb")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData("..")]
    [InlineData("a/../b")]
    [InlineData(null)]
    public void Names_that_cannot_stand_in_a_path_are_refused(string? name) =>
        Assert.Equal(ProblemKind.InvalidInput, Assert.Throws<StacyVMException>(() => TemplateRules.CheckName(name)).Kind);

    [Fact]
    public void A_name_has_a_bound() => Assert.Throws<StacyVMException>(() => TemplateRules.CheckName(new string('a', 129)));

    [Theory]
    [InlineData("*", true)]
    [InlineData("example.com", true)]
    [InlineData("*.example.com", true)]
    [InlineData("example.com:443", true)]
    [InlineData("*:443", true)]
    [InlineData("10.0.0.1:80", true)]
    [InlineData("2001:db8::1", true)]
    [InlineData("2001:db8:0:0:0:0:0:1", true)]
    [InlineData("[2001:db8::1]:443", true)]
    [InlineData("", false)]
    [InlineData("https://example.com", false)]
    [InlineData("example.com/path", false)]
    [InlineData("a.*.example.com", false)]
    [InlineData("*example.com", false)]
    [InlineData("example.com:0", false)]
    [InlineData("example.com:65536", false)]
    [InlineData("example.com:x", false)]
    [InlineData("-a.com", false)]
    [InlineData("a b", false)]
    [InlineData("a..b", false)]
    public void Host_patterns(string text, bool isOne) => Assert.Equal(isOne, HostPattern.IsOne(text));

    [Theory]
    [InlineData(null, null, 1)]
    [InlineData(2, null, 2)]
    [InlineData(null, 3, 3)]
    [InlineData(4, 4, 4)]
    [InlineData(0, 5, 5)]
    public void Spellings_of_one_thing_fill_each_other(int? vcpus, int? cores, int expected) =>
        Assert.Equal(expected, Draft(new TemplateRequest { Vcpus = vcpus, CpuCores = cores }).CpuCores);

    [Fact]
    public void Spellings_that_contradict_each_other_are_refused()
    {
        Refused(new TemplateRequest { Vcpus = 2, CpuCores = 3 }, "vcpus and cpu_cores");
        Refused(new TemplateRequest { Ttl = "1m", TtlSeconds = 61 }, "ttl and ttl_seconds");
        Refused(new TemplateRequest { Setup = ["a"], InitCommands = ["b"] }, "setup and init_commands");
    }

    [Fact]
    public void A_client_that_changes_one_spelling_and_sends_back_the_other_means_the_change()
    {
        Template before = Draft(new TemplateRequest { Vcpus = 2, Ttl = "1m", Setup = ["a"] });

        Template after = TemplateDraft.Make(
            new TemplateRequest { Vcpus = 4, CpuCores = 2, Ttl = "1m0s", TtlSeconds = 90, Setup = ["a"], InitCommands = ["b"] }, "t", before, DateTime.UnixEpoch);

        Assert.Equal((4, 90), (after.CpuCores, after.TtlSeconds));
        Assert.Equal(["b"], after.Setup);
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("1.5s")]
    [InlineData("-1m")]
    public void A_life_that_is_none_is_refused(string ttl) => Refused(new TemplateRequest { Ttl = ttl }, "ttl");

    [Fact]
    public void Fields_are_checked_by_name()
    {
        Template good = Draft(new TemplateRequest());
        TemplateRules.Check(good);
        Fault(good with { Image = "" }, "image is required");
        Fault(good with { Image = "--help" }, "image ");
        Fault(good with { MemoryMb = -1 }, "memory_mb");
        Fault(good with { CpuCores = 1_000 }, "cpu_cores");
        Fault(good with { TtlSeconds = -5 }, "ttl_seconds");
        Fault(good with { PoolSize = -1 }, "pool_size");
        Fault(good with { Provider = "a b" }, "provider");
        Fault(good with { Setup = ["true", " "] }, "setup command 2");
        Fault(good with { Setup = [.. Enumerable.Repeat("true", 65)] }, "setup has 65");
        Fault(good with { Files = Map("relative", "x") }, "files: \"relative\"");
        Fault(good with { Files = Map("/a/../b", "x") }, "files: \"/a/../b\"");
        Fault(good with { Files = Map("/big", new string('x', 1024 * 1024 + 1)) }, "files: /big");
        Fault(good with { Env = Map("1A", "x") }, "env name \"1A\"");
        Fault(good with { Env = Map("STACYVM_AGENT_DIAL", "x") }, "env name");
        Fault(good with { Env = Map("A", "a\0b") }, "env A");
        Fault(good with { AllowedHosts = ["https://a"] }, "allowed_hosts: \"https://a\"");
        Fault(good with { Metadata = Map("", "x") }, "metadata name");
        Fault(good with { Env = Map("A", "x"), Secrets = [new("S", "A", null)] }, "secret S: A is taken");
    }

    private static Dictionary<string, string> Map(string name, string value) => new() { [name] = value };

    private static Template Draft(TemplateRequest request) => TemplateDraft.Make(request with { Image = "host" }, "t", null, DateTime.UnixEpoch);

    private static void Refused(TemplateRequest request, string named)
    {
        StacyVMException problem = Assert.Throws<StacyVMException>(() => Draft(request));
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.StartsWith($"invalid input: {named}", problem.Message);
    }

    private static void Fault(Template template, string named)
    {
        StacyVMException problem = Assert.Throws<StacyVMException>(() => TemplateRules.Check(template));
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        Assert.StartsWith($"invalid input: {named}", problem.Message);
    }
}
