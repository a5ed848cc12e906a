using System.ComponentModel;
using System.Diagnostics;

namespace StacyVM.Cli.Bench;

/// <summary>Programs that the measurement runs beside itself.</summary>
internal static class Subprocess
{
    /// <summary>Runs a program that leaves something running, which keeps its streams: they are a file.</summary>
    public static Task<(int Code, string Output)> DetachAsync(string file, string program, IEnumerable<string> arguments, CancellationToken cancellation) =>
        RunAsync("/bin/sh", ["-c", "exec \"$@\" >\"$0\" 2>&1 <\"$0\"", file, program, .. arguments], cancellation);

    /// <summary>Runs a program to its end.</summary>
    /// <returns>Exit code and both outputs; 127 when there is no such program.</returns>
    public static async Task<(int Code, string Output)> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellation)
    {
        try
        {
            using Process process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            process.StandardInput.Close();
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
