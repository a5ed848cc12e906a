using System.Diagnostics;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>The quickstart of an ordinary user on a machine without sudo, where packages are missing: it says which, who can help, and what still works.</summary>
public sealed class WithoutRootTests : IDisposable
{
    private const string Nobody = "65534";

    private readonly string _copy = Directory.CreateTempSubdirectory("stacyvm-copy-").FullName;

    public void Dispose() => Directory.Delete(_copy, recursive: true);

    [Fact]
    public async Task What_the_build_lacks_ends_it_with_the_command_that_would_help()
    {
        (int code, string output) = await QuickstartAsync(missing: "bubblewrap lld");
        Assert.NotEqual(0, code);
        Assert.Contains("missing packages, and neither root nor sudo to install them: lld bubblewrap", output);
        Assert.Contains("apt-get install -y lld bubblewrap", output);
        Assert.Contains("the binary cannot be built here", output);
        Assert.Contains("the bubblewrap level and the walk-through do not work", output);
    }

    [Fact]
    public async Task What_only_running_lacks_is_said_and_the_build_goes_on()
    {
        (_, string output) = await QuickstartAsync(missing: "bubblewrap");
        Assert.Contains("neither root nor sudo to install them: bubblewrap", output);
        Assert.Contains("Docker still does where its daemon runs", output);
        Assert.Contains("built ./stacyvm", output);
    }

    /// <summary>A copy of the sources in which the binary is built already, and a package list in which some are not installed.</summary>
    private async Task<(int Code, string Output)> QuickstartAsync(string missing)
    {
        if (Environment.UserName != "root")
            Assert.Skip("becoming an ordinary user needs root");
        string source = Path.GetDirectoryName(PublishedServer.Binary)!;
        string tools = Path.Combine(_copy, "tools");
        Directory.CreateDirectory(tools);
        await File.WriteAllTextAsync(Path.Combine(tools, "dpkg-query"), $"#!/bin/sh\nfor last; do :; done\ncase ' {missing} ' in *\" $last \"*) exit 1;; esac\necho installed\n");
        // Whoever is found first wins: there is no sudo, and the server ends as on a machine where no level works.
        await File.WriteAllTextAsync(Path.Combine(tools, "sudo"), "#!/bin/sh\nexit 1\n");
        foreach (string tool in Directory.EnumerateFiles(tools))
            File.SetUnixFileMode(tool, (UnixFileMode)0b111_101_101);
        string prepare = $"""
            set -e
            cd '{source}'
            cp -r Makefile scripts global.json Directory.Build.props Directory.Packages.props '{_copy}/'
            mkdir -p '{_copy}/src' '{_copy}/artifacts/agent' '{_copy}/examples'
            cp -r examples/quickstart '{_copy}/examples/'
            cp stacyvm '{_copy}/stacyvm'
            touch '{_copy}/artifacts/agent/stacyvm-agent'
            sed -i 's/^AGENT_SOURCES := .*/AGENT_SOURCES :=/; s/^SERVER_SOURCES := .*/SERVER_SOURCES :=/; /^\tsrc\/StacyVM.Agent\/StacyVM.Agent.csproj/d' '{_copy}/Makefile'
            touch '{_copy}/stacyvm'
            chown -R {Nobody}:{Nobody} '{_copy}'
            chmod 0755 '{_copy}'
            """;
        (int prepared, string said) = await RunAsync("bash", ["-c", prepare], null);
        Assert.True(prepared == 0, said);
        string path = $"{tools}:{Path.GetDirectoryName(Dotnet())}:/usr/local/bin:/usr/bin:/bin";
        return await RunAsync(
            "setpriv", ["--reuid", Nobody, "--regid", Nobody, "--clear-groups", "env", "-i", $"HOME={_copy}", $"PATH={path}", "make", "--no-print-directory", "quickstart"], _copy);
    }

    private static string Dotnet() => Environment.GetEnvironmentVariable("DOTNET_HOST_PATH") ?? Environment.GetEnvironmentVariable("PATH")!.Split(':')
        .Select(folder => Path.Combine(folder, "dotnet")).First(File.Exists);

    private static async Task<(int Code, string Output)> RunAsync(string program, string[] arguments, string? folder)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder ?? "",
        })!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        using var bound = new CancellationTokenSource(TimeSpan.FromMinutes(2));
        await process.WaitForExitAsync(bound.Token);
        return (process.ExitCode, await output + await error);
    }
}
