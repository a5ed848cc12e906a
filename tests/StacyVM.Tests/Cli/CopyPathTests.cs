using StacyVM.Cli.Copy;
using Xunit;

namespace StacyVM.Tests.Cli;

public sealed class CopyPathTests
{
    [Theory]
    [InlineData("sb-0123456789abcdef:/workspace/a", "sb-0123456789abcdef", "/workspace/a", "a")]
    [InlineData("sb-1:a:b", "sb-1", "a:b", "a:b")]
    [InlineData("sb-1:", "sb-1", ".", "")]
    [InlineData("sb-1:/", "sb-1", "/", "")]
    [InlineData("sb-1:/dir/", "sb-1", "/dir/", "dir")]
    [InlineData("sb-1:/dir/.", "sb-1", "/dir/.", "")]
    [InlineData("./sb-1:a", null, "./sb-1:a", "sb-1:a")]
    [InlineData("/tmp/a:b", null, "/tmp/a:b", "a:b")]
    [InlineData("Notes: today", null, "Notes: today", "Notes: today")]
    [InlineData(":a", null, ":a", ":a")]
    public void A_side_is_in_a_sandbox_when_an_id_stands_before_its_first_colon(string text, string? id, string path, string name)
    {
        CopyPath parsed = CopyPath.Parse(text);
        Assert.Equal(new CopyPath(id, path), parsed);
        Assert.Equal(name, parsed.Name);
        Assert.False(parsed.IsStream);
    }

    [Fact]
    public void A_dash_is_a_stream_of_this_machine_only()
    {
        Assert.True(CopyPath.Parse("-").IsStream);
        Assert.False(CopyPath.Parse("sb-1:-").IsStream);
    }

    [Theory]
    [InlineData("/dir", "/dir/x")]
    [InlineData("/dir/", "/dir/x")]
    [InlineData("/", "/x")]
    public void An_entry_of_a_directory_has_one_slash(string directory, string child) =>
        Assert.Equal(child, new CopyPath("sb-1", directory).Child("x").Path);
}
