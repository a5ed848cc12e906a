using System.ComponentModel;
using System.Diagnostics;

namespace StacyVM.Cli.Bench;

/// <summary>Programs that the measurement runs beside itself.</summary>
internal static class Subprocess
{
    /// <summary>Runs a program to its end.</summary>
    /// <returns>Exit code and both outputs; 127 when there is no such program.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        try
        {
            using Process process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(cancellation);
            Task<string> error = process.StandardError.ReadToEndAsync(cancellation);
            await process.WaitForExitAsync(cancellation);
            return (process.ExitCode, (await output + await error).Trim());
        }
        catch (Win32Exception fault)
        {
            return (127, fault.Message);
        }
    }
}
