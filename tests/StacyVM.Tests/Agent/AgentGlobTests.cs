using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

public sealed class AgentGlobTests : IDisposable
{
    private static readonly string[] _files =
    [
        "a.txt", "b.txt", "c.md", ".hidden.txt", "src/main.cs", "src/lib/util.cs", "src/lib/deep/x.cs", "src/.git/config.cs",
        "src/a[1].cs", "été.txt", "docs/a.md", "docs/b/a.md",
    ];

    private readonly AgentProgram _agent = AgentProgram.Start();

    public AgentGlobTests()
    {
        foreach (string file in _files)
        {
            Directory.CreateDirectory(Path.GetDirectoryName(_agent.PathOf(file))!);
            File.WriteAllText(_agent.PathOf(file), "");
        }
        // A ring for whoever follows links.
        File.CreateSymbolicLink(_agent.PathOf("src/lib/up"), _agent.PathOf("src"));
        File.CreateSymbolicLink(_agent.PathOf("linked"), "docs");
    }

    public void Dispose() => _agent.Dispose();

    [Theory]
    [InlineData("*.txt", "a.txt b.txt été.txt")]
    [InlineData("?.txt", "a.txt b.txt")]
    [InlineData("[ab].txt", "a.txt b.txt")]
    [InlineData("[!a].txt", "b.txt")]
    [InlineData("[b-z].*", "b.txt c.md")]
    [InlineData("?t?.txt", "été.txt")]
    [InlineData(".*.txt", ".hidden.txt")]
    [InlineData("a.txt", "a.txt")]
    [InlineData("nothing*", "")]
    [InlineData("**/*.cs", "src/a[1].cs src/lib/deep/x.cs src/lib/util.cs src/main.cs")]
    [InlineData("src/**/x.cs", "src/lib/deep/x.cs")]
    [InlineData("src/**/main.cs", "src/main.cs")]
    [InlineData("**/**/a.md", "docs/a.md docs/b/a.md")]
    [InlineData("**/b/**", "docs/b/a.md")]
    [InlineData("linked/*.md", "linked/a.md")]
    [InlineData("src/a\\[1\\].cs", "src/a[1].cs")]
    [InlineData("src/.git/*", "src/.git/config.cs")]
    [InlineData("*/*.md", "docs/a.md linked/a.md")]
    [InlineData("docs/**", "docs/a.md docs/b docs/b/a.md")]
    public void A_pattern_finds(string pattern, string expected)
    {
        string[] found = Glob(pattern);
        Assert.Equal(
            expected.Split(' ', StringSplitOptions.RemoveEmptyEntries),
            found.Select(f => Path.GetRelativePath(_agent.Directory, f)));
        Assert.Equal(found, Glob(_agent.PathOf(pattern)));
    }

    [Fact]
    public void A_limit_is_kept() => Assert.Equal(2, Glob("**/*", 2).Length);

    [Fact]
    public void A_pattern_made_to_be_slow_is_not()
    {
        File.WriteAllText(_agent.PathOf(new string('a', 200)), "");
        Assert.Empty(Glob(string.Concat(Enumerable.Repeat("*a", 60)) + "b"));
    }

    private string[] Glob(string pattern, uint limit = 0)
    {
        AgentChannel channel = _agent.Client.Open(ChannelKind.Glob, new GlobRequest(pattern, limit).Write);
        Assert.Equal(AgentStatus.Ok, channel.Closed.Status);
        var paths = new List<string>();
        var reader = new RecordReader(channel.Output);
        while (!reader.AtEnd)
            paths.Add(reader.String());
        return [.. paths];
    }
}
