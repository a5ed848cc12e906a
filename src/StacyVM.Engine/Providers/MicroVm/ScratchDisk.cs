using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>The disk that a sandbox writes to: a file of holes with an empty file system. Its size bounds what the sandbox can take of the host's disk.</summary>
internal static class ScratchDisk
{
    private const string Maker = "mke2fs";

    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/> without the program; <see cref="ProblemKind.StorageFull"/>.</exception>
    public static async Task MakeAsync(string path, int megabytes, CancellationToken cancellation)
    {
        string program = Program();
        // No journal: the disk does not outlive its machine. What a kernel would initialize in the background stays a hole.
        string[] arguments =
        [
            "-q", "-F", "-t", "ext4", "-O", "^has_journal,^metadata_csum,^resize_inode", "-E", "lazy_itable_init=1,nodiscard", "-m", "0", path,
            megabytes.ToString(CultureInfo.InvariantCulture) + "M",
        ];
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })!;
            process.StandardInput.Close();
            Task<string> errors = process.StandardError.ReadToEndAsync(CancellationToken.None);
            await process.StandardOutput.ReadToEndAsync(CancellationToken.None).ConfigureAwait(false);
            // Milliseconds: it is waited for, so that nobody removes what it still writes to.
            await process.WaitForExitAsync(CancellationToken.None).ConfigureAwait(false);
            cancellation.ThrowIfCancellationRequested();
            if (process.ExitCode != 0)
                throw new StacyVMException(ProblemKind.StorageFull, $"{path} could not be made: {(await errors.ConfigureAwait(false)).Trim()}");
        }
        catch (Win32Exception cause)
        {
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"{program} cannot be started: {cause.Message}", cause);
        }
    }

    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>, saying how to get it.</exception>
    public static string Program() => ProgramFile.Locate(Maker)
        ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the program {Maker} is not there, which makes the disks of machines; install it with 'apt-get install e2fsprogs'");
}
