using System.Diagnostics;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>The completion scripts in the shells they are for, with the published program on the path and a Tab that is really pressed.</summary>
public sealed class CompletionTests
{
    private const string PressTabInZsh = """
        autoload -Uz compinit; compinit -u -D
        zmodload zsh/zpty
        zpty shell 'zsh -f -i'
        zpty -w shell 'PS1= ; PROMPT_EOL_MARK= ; unsetopt zle_bracketed_paste; autoload -Uz compinit; compinit -u -D; source <(stacyvm completion zsh); print rea""dy'
        zpty -r shell output '*ready*'
        zpty -w -n shell "$1"$'\t\t'
        zpty -r shell output "*$2*" && print -r -- "$output"
        zpty -d shell
        """;

    [Theory]
    [InlineData("stacyvm prov", "providers")]
    [InlineData("stacyvm completion po", "powershell")]
    [InlineData("stacyvm bench --dens", "--density")]
    public async Task Zsh_completes(string line, string expected)
    {
        (int code, string output) = await RunAsync("zsh", "-f", "-c", PressTabInZsh, "zsh", line, expected);
        Assert.True(code == 0 && output.Contains(expected, StringComparison.Ordinal), $"{code}: {output}");
    }

    [Theory]
    [InlineData("stacyvm prov", "providers")]
    [InlineData("stacyvm completion po", "powershell")]
    [InlineData("stacyvm bench --dens", "--density")]
    public async Task Fish_completes(string line, string expected)
    {
        (int code, string output) = await RunAsync("fish", "--no-config", "-c", $"stacyvm completion fish | source; complete --do-complete '{line}'");
        Assert.True(code == 0 && output.Split('\n').Any(one => one.Split('\t')[0] == expected), $"{code}: {output}");
    }

    [Theory]
    [InlineData("stacyvm prov", "providers")]
    [InlineData("stacyvm completion po", "powershell")]
    public async Task Bash_completes(string line, string expected)
    {
        (int code, string output) = await RunAsync(
            "bash", "--norc", "-c", $"source <(stacyvm completion bash); COMP_LINE='{line}' COMP_POINT={line.Length} COMP_WORDS=({line}); _stacyvm_complete; printf '%s\\n' \"${{COMPREPLY[@]}}\"");
        Assert.True(code == 0 && output.Split('\n').Contains(expected), $"{code}: {output}");
    }

    private static async Task<(int Code, string Output)> RunAsync(string shell, params string[] arguments)
    {
        string home = Directory.CreateTempSubdirectory("stacyvm-shell-").FullName;
        var start = new ProcessStartInfo(shell, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["HOME"] = home;
        start.Environment["TERM"] = "dumb";
        start.Environment["PATH"] = Path.GetDirectoryName(PublishedServer.Binary) + ":" + Environment.GetEnvironmentVariable("PATH");
        using Process process = Process.Start(start)!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        try
        {
            await process.WaitForExitAsync(bound.Token);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
        }
        Directory.Delete(home, recursive: true);
        return (process.HasExited ? process.ExitCode : -1, await output + await error);
    }
}
