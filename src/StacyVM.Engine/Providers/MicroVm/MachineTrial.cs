using System.Security.Cryptography;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>Starts a machine to see whether machines start here: a device that is there proves nothing.</summary>
internal static class MachineTrial
{
    /// <returns>Null when it worked; otherwise why not.</returns>
    public static async Task<string?> RunAsync(AgentHost host, IMachineMonitor monitor, string kernel, string initramfs, TimeSpan patience, CancellationToken cancellation)
    {
        string console = Path.Combine(MachineSetup.DirectoryOf(host), "trial-" + RandomNumberGenerator.GetHexString(16, lowercase: true));
        LaunchedProgram? process = null;
        try
        {
            HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
            process = await launcher.LaunchAsync(monitor.LaunchTrial(kernel, initramfs, console), CancellationToken.None).ConfigureAwait(false);
            await process.Exited.WaitAsync(patience, cancellation).ConfigureAwait(false);
            IReadOnlyList<string> lines = ConsoleTail.Read(console, 20);
            if (lines.Any(line => line.Contains(AgentProtocol.TrialAnswer, StringComparison.Ordinal)))
                return null;
            return lines.Count == 0 ? "a machine ended without a word" : $"a machine did not start: {string.Join("; ", lines.TakeLast(3))}";
        }
        catch (TimeoutException)
        {
            return FormattableString.Invariant($"a machine did not start within {patience.TotalSeconds:0} s: {string.Join("; ", ConsoleTail.Read(console, 2))}");
        }
        catch (StacyVMException problem)
        {
            return problem.Message;
        }
        finally
        {
            if (process is not null && ProcessIdentity.Of(process.Pid) is { } alive && !process.Exited.IsCompleted)
                await ProcessExits.KillAsync(alive, TimeSpan.FromSeconds(10)).ConfigureAwait(false);
            File.Delete(console);
        }
    }
}
