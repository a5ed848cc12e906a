using System.ComponentModel;
using System.Diagnostics;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm.Qemu;

/// <summary>The installed QEMU.</summary>
/// <param name="Path">Absolute.</param>
/// <param name="Version">Its own first line about itself, e.g. <c>7.2.0 (Debian …)</c>.</param>
internal sealed record QemuProgram(string Path, string Version)
{
    private const string HowToGet = "install it with 'apt-get install qemu-system-x86' or set providers.qemu.qemu_path";

    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>, saying how to get it.</exception>
    public static async Task<QemuProgram> FindAsync(string name, CancellationToken cancellation)
    {
        string path = ProgramFile.Locate(name) ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the program {name} is not there; {HowToGet}");
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(path, ["--version"]) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
            process.StandardInput.Close();
            Task<string> errors = process.StandardError.ReadToEndAsync(cancellation);
            string output = await process.StandardOutput.ReadToEndAsync(cancellation).ConfigureAwait(false);
            await process.WaitForExitAsync(cancellation).ConfigureAwait(false);
            const string Announced = "version ";
            string line = output.Split('\n')[0];
            int at = line.IndexOf(Announced, StringComparison.Ordinal);
            if (process.ExitCode != 0 || at < 0)
                throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{path} --version fails: {(await errors.ConfigureAwait(false)).Trim()}; {HowToGet}");
            return new QemuProgram(path, line[(at + Announced.Length)..].Trim());
        }
        catch (Win32Exception cause)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{path} cannot be started: {cause.Message}; {HowToGet}", cause);
        }
    }
}
