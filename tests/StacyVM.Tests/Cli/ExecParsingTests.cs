using System.CommandLine;
using StacyVM.Cli;
using Xunit;

namespace StacyVM.Tests.Cli;

public sealed class ExecParsingTests
{
    [Theory]
    [InlineData("exec sb-1 -- ls -l", "ls,-l")]
    [InlineData("exec sb-1 ls -l", "ls,-l")]
    [InlineData("exec sb-1 ls -i --json", "ls,-i,--json")]
    [InlineData("exec -i sb-1 -- cat -e", "cat,-e")]
    [InlineData("exec sb-1 -i -- cat -e", "cat,-e")]
    [InlineData("exec sb-1 --shell --env A=b -- echo -i", "echo,-i")]
    [InlineData("exec sb-1 -- sh -c true -- x", "sh,-c,true,--,x")]
    [InlineData("exec sb-1 sh -- x", "sh,--,x")]
    [InlineData("--server http://localhost:1 exec --workdir /tmp sb-1 ls -i", "ls,-i")]
    public void The_command_keeps_its_own_options(string line, string words)
    {
        ParseResult parsed = CommandLine.Parse(line.Split(' '));
        Assert.Empty(parsed.Errors);
        Assert.Equal(words.Split(','), parsed.GetValue<string[]>("command"));
        Assert.Equal("sb-1", parsed.GetValue<string>("id"));
        Assert.Equal(line.Contains("--shell"), parsed.GetValue<bool>("--shell"));
        Assert.False(parsed.GetValue<bool>("--json"));
        Assert.Equal(line.Contains("-i -- cat") || line.Contains("-i sb-1"), parsed.GetValue<bool>("--interactive"));
    }
}
