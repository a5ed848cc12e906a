using System.Text.Json;
using StacyVM.Engine.Environments;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Environments;

/// <summary>Nothing that a client writes is anything but a name in the recipe that root carries out.</summary>
public sealed class SpecRulesTests
{
    private static readonly string[] Hostile =
    [
        "a\nRUN id", "a\r\nRUN id", "a\n", "a b", "a\tb", "a;id", "a&&id", "a|id", "a`id`", "$(id)", "a$HOME", "a>b>c ", ">/etc/passwd", "a\"", "a\",\"b", "a'b", "a\\", "a\\\nb", "a#b c",
        "-e", "--index-url=http://x", "-r/etc/passwd", "../a", "./a", "/etc/passwd", "git+https://x/y", "a@https://x/y.whl", "file:///x", "a\0b", "a\u2028b", "a\u0085b", "а", "*", "", " ",
        "<<EOF", "a<<EOF", "# syntax=x", "a;python_version<'3'",
    ];

    public static TheoryData<string> HostileTexts => [.. Hostile];

    [Theory]
    [MemberData(nameof(HostileTexts))]
    public void Hostile_texts_are_refused_in_every_field(string text)
    {
        Refused(Spec() with { BaseImage = text });
        Refused(Spec() with { PythonPackages = [text] });
        Refused(Spec() with { AptPackages = [text] });
        if (text.Length > 0)
            Refused(Spec() with { PythonVersion = text });
    }

    [Theory]
    [InlineData("bash-")]
    [InlineData("bash/stable")]
    [InlineData("curl=")]
    [InlineData("curl=1-")]
    [InlineData("?installed")]
    [InlineData("~n.")]
    [InlineData("lib*")]
    [InlineData("Curl")]
    public void What_apt_get_reads_as_more_than_a_package_is_refused(string package) => Refused(Spec() with { AptPackages = [package] });

    [Theory]
    [InlineData("Debian")]
    [InlineData("debian:")]
    [InlineData("debian@sha256:abc")]
    [InlineData("debian AS x")]
    [InlineData("a//b")]
    [InlineData("a:b:c")]
    [InlineData("scratch")]
    [InlineData("--platform=x")]
    public void What_is_no_image_reference_is_refused(string image) => Refused(Spec() with { BaseImage = image });

    [Fact]
    public void What_packages_and_images_really_are_called_is_taken()
    {
        foreach (string image in new[] { "debian", "python:3.12-slim", "ghcr.io/me/base_image:v1.0", "127.0.0.1:5000/a/b", "localhost/x", "debian@sha256:" + new string('a', 64), "a/b:c@sha256:" + new string('0', 64) })
            SpecRules.Check(Spec() with { BaseImage = image });
        SpecRules.Check(Spec() with
        {
            PythonPackages = ["numpy", "pandas[excel,parquet]>=2,<3", "zope.interface==5.*", "x~=1.4", "a!=1.0", "b===1.0+local", "ruamel_yaml<1!2"],
            AptPackages = ["g++", "libstdc++6", "curl=7.88.1-10+deb12u5", "libc6:i386", "python3.11", "vim=2:9.0.1378-2"],
            PythonVersion = "3.12",
        });
    }

    [Fact]
    public void A_recipe_has_the_lines_that_were_meant_and_every_package_is_one_argument()
    {
        EnvironmentSpec spec = Spec() with { PythonPackages = ["pandas>=2,<3", "x"], AptPackages = ["g++", "curl=7.88.1-10"], PythonVersion = "3.12" };
        string[] lines = Dockerfile.Of(spec, "b1").Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("FROM debian:12", lines[0]);
        List<string[]> runs = [.. lines.Where(line => line.StartsWith("RUN ", StringComparison.Ordinal)).Select(line => JsonSerializer.Deserialize<string[]>(line["RUN ".Length..])!)];
        Assert.Equal(["apt-get", "g++", "curl=7.88.1-10"], runs[0].Skip(3));
        Assert.Equal("3.12", runs[1][^1]);
        Assert.Equal(["pandas>=2,<3", "x"], runs[2].TakeLast(2));
        Assert.All(lines, line => Assert.Contains(line.Split(' ')[0], new[] { "FROM", "LABEL", "ARG", "RUN", "WORKDIR" }));
    }

    /// <summary>Random texts of what matters to shells, recipes and JSON: refused, or exactly one argument.</summary>
    [Fact]
    public void Whatever_is_accepted_arrives_as_it_was()
    {
        const string Alphabet = "ab3.-_+<>=!~,[]:*@/\\\"'`$(){};&|#%^? \t\n\r\0é\u2028";
        var random = new Random(20260504);
        int accepted = 0;
        for (int round = 0; round < 40_000; round++)
        {
            string text = new([.. Enumerable.Range(0, random.Next(1, 9)).Select(_ => Alphabet[random.Next(random.Next(2) == 0 ? 8 : Alphabet.Length)])]);
            EnvironmentSpec spec = round % 2 == 0 ? Spec() with { PythonPackages = [text] } : Spec() with { AptPackages = [text] };
            try
            {
                SpecRules.Check(spec);
            }
            catch (StacyVMException)
            {
                continue;
            }
            accepted++;
            string[] lines = Dockerfile.Of(spec, "b").Split('\n');
            Assert.Equal(lines.Length, Dockerfile.Of(round % 2 == 0 ? Spec() with { PythonPackages = ["x"] } : Spec() with { AptPackages = ["xx"] }, "b").Split('\n').Length);
            string run = lines.First(line => line.StartsWith("RUN ", StringComparison.Ordinal));
            Assert.Equal(text, JsonSerializer.Deserialize<string[]>(run["RUN ".Length..])![^1]);
        }
        Assert.True(accepted > 1000, $"only {accepted} were accepted");
    }

    [Fact]
    public void A_python_version_is_honoured_or_refused()
    {
        Assert.Equal("python:3.12", SpecRules.PythonBase("python", "3.12"));
        Assert.Equal("ghcr.io/x/python:3.12", SpecRules.PythonBase("ghcr.io/x/python", "3.12"));
        Assert.Equal("python:3.12-slim", SpecRules.PythonBase("python:3.12-slim", "3.12"));
        Assert.Equal("python:3.12.4", SpecRules.PythonBase("python:3.12.4", "3.12"));
        Assert.Equal("python:3", SpecRules.PythonBase("python:3", "3.12"));
        Assert.Equal("debian:12", SpecRules.PythonBase("debian:12", "3.12"));
        Assert.Contains("3.11", Assert.Throws<StacyVMException>(() => SpecRules.PythonBase("python:3.11-slim", "3.12")).Message);
        Assert.Throws<StacyVMException>(() => SpecRules.PythonBase("python:3.1", "3.12"));
    }

    [Theory]
    [InlineData("Data Science!", "data-science-12345678")]
    [InlineData("--Ä--", "env-12345678")]
    [InlineData("..a", "a-12345678")]
    [InlineData("a-very-long-name-that-goes-on-and-on", "a-very-long-name-that-go-12345678")]
    public void Tags_are_readable_and_valid(string name, string tag) => Assert.Equal(tag, BuildTarget.TagOf(name, "12345678-9abc"));

    [Fact]
    public void A_long_log_keeps_its_beginning_and_its_end()
    {
        var log = new BuildLog();
        for (int line = 0; line < 50_000; line++)
            log.Add($"line {line} \u001b[31m and some more");
        string text = log.ToString();
        Assert.True(text.Length < 300_000);
        Assert.StartsWith("line 0 ", text);
        Assert.Contains("line 49999 ", text);
        Assert.Contains("lines are left out", text);
        Assert.DoesNotContain('\u001b', text);
    }

    private static EnvironmentSpec Spec() => new()
    {
        Id = "s",
        OwnerId = "alice",
        Name = "x",
        BaseImage = "debian:12",
        PythonPackages = [],
        AptPackages = [],
        PythonVersion = "",
        CreatedAt = default,
        UpdatedAt = default,
    };

    private static void Refused(EnvironmentSpec spec) =>
        Assert.Equal(ProblemKind.InvalidInput, Assert.Throws<StacyVMException>(() => SpecRules.Check(spec)).Kind);
}
