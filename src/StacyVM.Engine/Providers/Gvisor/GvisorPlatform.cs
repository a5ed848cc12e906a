using System.Collections.Concurrent;
using System.Security.Cryptography;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>
/// How gVisor meets the system calls of a sandbox: which way works here is known by running something, since a <c>/dev/kvm</c> may be there and yet
/// let no sandbox start.
/// </summary>
internal static class GvisorPlatform
{
    private const string Auto = "auto";
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(8);

    // A trial costs a start of gVisor, or its whole bound where one hangs: once a process is enough.
    private static readonly ConcurrentDictionary<string, string> Chosen = new();
    private static readonly SemaphoreSlim Choosing = new(1);

    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>: none works, or the one that was asked for is not there.</exception>
    public static async Task<string> ChooseAsync(RunscProgram program, string wanted, AgentHost host, CancellationToken cancellation)
    {
        if (wanted != Auto)
            return program.Platforms.Contains(wanted)
                ? wanted
                : throw new StacyVMException(ProblemKind.ProviderUnavailable, $"runsc {program.Version} has no platform {wanted}, only {string.Join(", ", program.Platforms)}; set providers.gvisor.platform: auto");
        await Choosing.WaitAsync(cancellation).ConfigureAwait(false);
        try
        {
            if (Chosen.TryGetValue(program.Edition, out string? before))
                return before;
            string said = "it knows no platform";
            List<string> candidates = [.. program.Platforms.Where(platform => platform != "kvm" || HasOwnKvm())];
            // The sandbox that the probe makes tries it soon enough.
            if (candidates is [string only])
                return only;
            foreach (string platform in candidates)
            {
                string? failure = await TryAsync(program, platform, host, cancellation).ConfigureAwait(false);
                if (failure is null)
                    return Chosen[program.Edition] = platform;
                said = $"{platform}: {failure}";
            }
            throw new StacyVMException(ProblemKind.ProviderUnavailable, $"runsc {program.Version} runs nothing on this machine: {said}");
        }
        finally
        {
            Choosing.Release();
        }
    }

    /// <summary>Not within a virtual machine, where gVisor's own advice is against it and its sandboxes may hang instead of failing.</summary>
    private static bool HasOwnKvm() => File.Exists("/dev/kvm")
        && !File.ReadLines("/proc/cpuinfo").Any(line => line.StartsWith("flags", StringComparison.Ordinal) && line.Contains(" hypervisor", StringComparison.Ordinal));

    /// <returns>Null when it worked, or what runsc printed.</returns>
    private static async Task<string?> TryAsync(RunscProgram program, string platform, AgentHost host, CancellationToken cancellation)
    {
        string directory = Path.Combine(host.DataDirectory, GvisorSetup.Name, "trial-" + RandomNumberGenerator.GetHexString(8, lowercase: true));
        string console = Path.Combine(directory, "console");
        Directory.CreateDirectory(directory);
        try
        {
            HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
            LaunchedProgram trial = await launcher.LaunchAsync(
                new StartProcessRequest
                {
                    Arguments = [.. program.Flags(directory, platform), "do", "--root", "/", host.AgentPath, "--version"],
                    WorkingDirectory = "/",
                    Files = [new(0, Path.Combine(directory, "input"), true), new(1, console, true), new(2, console, true)],
                },
                CancellationToken.None).ConfigureAwait(false);
            try
            {
                ProcessExit exit = await trial.Exited.WaitAsync(Bound, cancellation).ConfigureAwait(false);
                return exit.ExitCode == 0 ? null : string.Join("; ", ConsoleTail.Read(console, 2));
            }
            catch (TimeoutException)
            {
                return "it did not end in time";
            }
        }
        finally
        {
            // Its kernel and its file server have the directory among their arguments; those that hang do not end by themselves.
            foreach (int pid in ProcessScan.Naming(directory))
            {
                if (ProcessIdentity.Of(pid) is { } left)
                    await ProcessExits.KillAsync(left, Bound).ConfigureAwait(false);
            }
            TreeRemoval.Remove(directory);
        }
    }
}
