using System.ComponentModel;
using System.Diagnostics;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>The installed runsc: where it is and what it can do.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Version">E.g. <c>0.0~20221219.0</c>.</param>
/// <param name="SocketsFlag">What lets the agent reach the one socket that is bound in.</param>
/// <param name="Platforms">Ways to meet system calls that this version has, the best first.</param>
internal sealed record RunscProgram(string Path, string Version, string SocketsFlag, IReadOnlyList<string> Platforms)
{
    private const string HowToGet = "install it with 'apt-get install runsc' or from gvisor.dev, or set providers.gvisor.runsc_path";

    private static readonly string[] Known = ["systrap", "kvm", "ptrace"];

    /// <summary>Changes when another version is installed in its place.</summary>
    public string Edition => $"{Path} {Version} {File.GetLastWriteTimeUtc(Path).Ticks}";

    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>, saying how to get it.</exception>
    public static async Task<RunscProgram> FindAsync(string name, CancellationToken cancellation)
    {
        string path = Locate(name) ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the program {name} is not there; {HowToGet}");
        (_, string version) = await RunAsync(path, ["--version"], cancellation).ConfigureAwait(false);
        (_, string flags) = await RunAsync(path, ["flags"], cancellation).ConfigureAwait(false);
        string? sockets = flags.Contains("-host-uds ", StringComparison.Ordinal) ? "--host-uds=open"
            : flags.Contains("-fsgofer-host-uds", StringComparison.Ordinal) ? "--fsgofer-host-uds" : null;
        if (sockets is null || !version.StartsWith("runsc version ", StringComparison.Ordinal))
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{path} is not a runsc that can let a sandbox reach a socket of this machine; {HowToGet}");
        string platform = flags.Split('\n').FirstOrDefault(line => line.Contains("specifies which platform", StringComparison.Ordinal)) ?? "";
        return new RunscProgram(path, version.Split('\n')[0]["runsc version ".Length..].Trim(), sockets, [.. Known.Where(one => platform.Contains(one, StringComparison.Ordinal))]);
    }

    /// <summary>Flags before any subcommand on one sandbox.</summary>
    public IReadOnlyList<string> Flags(string root, string platform) =>
        [Path, "--root", root, "--platform", platform, "--network=none", SocketsFlag, "--ignore-cgroups", "--cpu-num-from-quota", "--log=/dev/null"];

    /// <summary>Runs it to its end; output and errors together.</summary>
    public static async Task<(int Code, string Output)> RunAsync(string path, IReadOnlyList<string> arguments, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(path, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            try
            {
                Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
                string output = await process.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false);
                output += await errors.ConfigureAwait(false);
                await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
                return (process.ExitCode, output);
            }
            catch (OperationCanceledException)
            {
                process.Kill();
                throw;
            }
        }
        catch (Win32Exception cause)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{path} cannot be started: {cause.Message}; {HowToGet}", cause);
        }
    }

    private static string? Locate(string name)
    {
        if (name.Contains('/'))
            return File.Exists(name) ? System.IO.Path.GetFullPath(name) : null;
        string search = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        return search.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => System.IO.Path.Combine(directory, name)).FirstOrDefault(File.Exists);
    }
}
