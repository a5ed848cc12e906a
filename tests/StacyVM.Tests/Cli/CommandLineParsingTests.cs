using System.CommandLine;
using StacyVM.Cli;
using StacyVM.Cli.Commands;
using StacyVM.Cli.Completion;
using Xunit;

namespace StacyVM.Tests.Cli;

public sealed class CommandLineParsingTests
{
    [Theory]
    [InlineData("spawn --ttl soon")]
    [InlineData("spawn --ttl 5")]
    [InlineData("spawn -m novalue")]
    [InlineData("extend sb-1 never")]
    [InlineData("exec --timeout 5 sb-1 ls")]
    [InlineData("preview sb-1 0")]
    [InlineData("preview sb-1 70000")]
    [InlineData("completion tcsh")]
    [InlineData("get")]
    [InlineData("nonesuch")]
    public void What_cannot_be_meant_is_refused_before_the_server_is_asked(string line) =>
        Assert.NotEmpty(CommandLine.Parse(line.Split(' ')).Errors);

    [Theory]
    [InlineData("spawn --image alpine --ttl 1h30m --memory 512 --vcpus 2 -m a=b -m c=d=e")]
    [InlineData("ls")]
    [InlineData("ls sb-1")]
    [InlineData("ls sb-1 /tmp")]
    [InlineData("list --json")]
    [InlineData("ps -q")]
    [InlineData("kill sb-1 sb-2 sb-3")]
    [InlineData("cp sb-1:/a -")]
    [InlineData("--server http://localhost:1 --api-key k get sb-1")]
    [InlineData("get sb-1 --server http://localhost:1")]
    public void What_the_reference_promises_is_understood(string line) =>
        Assert.Empty(CommandLine.Parse(line.Split(' ')).Errors);

    [Fact]
    public void Later_pairs_win_and_values_may_hold_equals_signs() =>
        Assert.Equal(
            new Dictionary<string, string> { ["A"] = "2", ["B"] = "x=y" },
            CommonArguments.ToDictionary(["A=1", "B=x=y", "A=2"]));

    [Fact]
    public void Help_never_prints_a_key()
    {
        const string secret = "key-that-must-not-be-seen";
        Environment.SetEnvironmentVariable("STACYVM_API_KEY", secret);
        try
        {
            var output = new StringWriter();
            CommandLine.Parse(["--help"]).Invoke(new InvocationConfiguration { Output = output });
            Assert.Contains("--api-key", output.ToString());
            Assert.DoesNotContain(secret, output.ToString());
        }
        finally
        {
            Environment.SetEnvironmentVariable("STACYVM_API_KEY", null);
        }
    }

    [Theory]
    [InlineData("http://localhost:7423", true)]
    [InlineData("http://127.0.0.1:1", true)]
    [InlineData("http://[::1]:1", true)]
    [InlineData("localhost:7423", true)]
    [InlineData("unix:///run/s.sock", true)]
    [InlineData("http://example.com", false)]
    [InlineData("http://localhost.example.com", false)]
    [InlineData("http://10.0.0.1", false)]
    public void The_key_of_this_machine_is_for_this_machine_only(string server, bool own) =>
        Assert.Equal(own, GlobalOptions.IsThisMachine(server));

    [Theory]
    [InlineData("stacyvm sp", "spawn")]
    [InlineData("stacyvm completion z", "zsh")]
    [InlineData("stacyvm list --o", "--owner")]
    public void The_suggest_directive_completes_a_line(string line, string expected)
    {
        var output = new StringWriter();
        CommandLine.Parse([$"[suggest:{line.Length}]", line]).Invoke(new InvocationConfiguration { Output = output });
        Assert.Contains(expected, output.ToString().Split('\n').Select(text => text.Trim()));
    }

    [Fact]
    public void Every_shell_has_a_script_that_asks_the_program()
    {
        foreach (string shell in CompletionScripts.Shells)
            Assert.Contains("[suggest:", CompletionScripts.Of(shell));
    }
}
