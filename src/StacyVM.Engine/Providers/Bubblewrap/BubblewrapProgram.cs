using System.ComponentModel;
using System.Diagnostics;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>The installed bubblewrap: where it is and what it can do.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Version">E.g. <c>0.8.0</c>.</param>
/// <param name="DisablesUserNamespaces">It has <c>--disable-userns</c> (0.8).</param>
/// <param name="SizesTmpfs">It has <c>--size</c> (0.7).</param>
internal sealed record BubblewrapProgram(string Path, string Version, bool DisablesUserNamespaces, bool SizesTmpfs)
{
    private const string HowToGet = "install it with 'apt-get install bubblewrap' (dnf, apk, pacman: the same name) or set providers.bubblewrap.bwrap_path";

    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>, saying how to get it.</exception>
    public static async Task<BubblewrapProgram> FindAsync(string name, CancellationToken cancellation)
    {
        string path = Locate(name) ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the program {name} is not there; {HowToGet}");
        string help = await RunAsync(path, "--help", cancellation).ConfigureAwait(false);
        string version = (await RunAsync(path, "--version", cancellation).ConfigureAwait(false)).Trim();
        if (!help.Contains("--json-status-fd", StringComparison.Ordinal) || !help.Contains("--perms", StringComparison.Ordinal))
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{path} ({version}) is older than bubblewrap 0.5; {HowToGet}");
        return new BubblewrapProgram(
            path,
            version.Replace("bubblewrap", "", StringComparison.Ordinal).Trim(),
            help.Contains("--disable-userns", StringComparison.Ordinal),
            help.Contains("--size", StringComparison.Ordinal));
    }

    private static string? Locate(string name)
    {
        if (name.Contains('/'))
            return File.Exists(name) ? System.IO.Path.GetFullPath(name) : null;
        string search = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        return search.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => System.IO.Path.Combine(directory, name)).FirstOrDefault(File.Exists);
    }

    private static async Task<string> RunAsync(string path, string argument, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(path, [argument]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true };
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
            string output = await process.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
            return output + await errors.ConfigureAwait(false);
        }
        catch (Win32Exception cause)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{path} cannot be started: {cause.Message}; {HowToGet}", cause);
        }
    }
}
