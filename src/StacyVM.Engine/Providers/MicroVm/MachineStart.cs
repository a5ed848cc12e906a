using System.Globalization;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>Starts the process of a machine whose folder has been made, and waits for its agent.</summary>
/// <param name="host">Launcher.</param>
/// <param name="setup">Found out once.</param>
internal sealed class MachineStart(AgentHost host, MachineSetup setup)
{
    /// <summary>What the guest's kernel and agent need beside the memory that was asked for.</summary>
    public const int GuestMemoryMb = 64;

    private const long Mebibyte = 1024 * 1024;
    private const int Core = 4, OpenFiles = 7;

    /// <summary>Threads of the monitor apart from its processors.</summary>
    private const int MonitorThreads = 64;

    private static readonly TimeSpan StartBound = TimeSpan.FromSeconds(60);

    /// <param name="folder">With the disk.</param>
    /// <param name="state">As noted so far.</param>
    /// <param name="rootDisk">Of the image.</param>
    /// <param name="saved">What the machine goes on from; null: it starts anew.</param>
    /// <param name="token">What its agent presents at first.</param>
    /// <param name="cancellation">Abandons the wait, not the start itself, whose outcome has to be known.</param>
    /// <returns>The state with its process, the line to its agent, and the first connection.</returns>
    public async Task<(MachineState State, PortLink Link, AgentConnection Agent)> RunAsync(
        MachineFolder folder, MachineState state, string rootDisk, string? saved, string token, CancellationToken cancellation)
    {
        IMachineMonitor monitor = setup.Monitor;
        (uint, uint)? owner = setup.Users is null ? null : (state.UserId, monitor.NeededGroup ?? state.UserId);
        if (owner is { } given)
            folder.GiveTo(given.Item1, given.Item2);
        var plan = new MachinePlan
        {
            Folder = folder,
            Kernel = setup.KernelFile,
            Initramfs = setup.InitramfsFile,
            RootDisk = rootDisk,
            MemoryMb = state.MemoryMb + GuestMemoryMb,
            Vcpus = state.Vcpus,
            SavedState = saved,
            Owner = owner,
        };
        setup.Cgroups.Create(folder.Id, new CgroupLimits((plan.MemoryMb + monitor.OverheadMb) * Mebibyte, state.Vcpus, MonitorThreads + state.Vcpus));
        StartProcessRequest request = monitor.Launch(plan) with
        {
            Cgroups = setup.Cgroups.JoinFiles(folder.Id),
            Limits = [new(Core, 0), new(OpenFiles, 1024)],
        };
        HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
        LaunchedProgram program = await launcher.LaunchAsync(request, CancellationToken.None).ConfigureAwait(false);
        if (ProcessIdentity.Of(program.Pid) is { } process)
        {
            state = state.With(process);
            folder.Update(state);
        }

        var link = new PortLink(folder.Id, token, stop => monitor.OpenAgentAsync(folder, stop));
        using var bound = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            Task<AgentConnection> arrival = ArriveAsync(plan, link, bound.Token);
            if (await Task.WhenAny(arrival, program.Exited).ConfigureAwait(false) != arrival)
            {
                await bound.CancelAsync().ConfigureAwait(false);
                _ = arrival.ContinueWith(static task => task.Exception, TaskScheduler.Default);
                ProcessExit exit = await program.Exited.ConfigureAwait(false);
                throw new StacyVMException(ProblemKind.ProviderUnavailable, string.Create(CultureInfo.InvariantCulture, $"{monitor.Name} ended with code {exit.ExitCode} before sandbox {folder.Id} had started: {LastWords(folder)}"));
            }
            return (state, link, await arrival.ConfigureAwait(false));
        }
        catch (Exception failure)
        {
            await link.DisposeAsync().ConfigureAwait(false);
            if (failure is StacyVMException { Kind: ProblemKind.SandboxGone } or IOException)
                throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the machine of sandbox {folder.Id} does not answer: {failure.Message}; console: {LastWords(folder)}", failure);
            throw;
        }
    }

    private async Task<AgentConnection> ArriveAsync(MachinePlan plan, PortLink link, CancellationToken cancellation)
    {
        await setup.Monitor.StartedAsync(plan, cancellation).ConfigureAwait(false);
        return await link.GetAsync(StartBound, cancellation).ConfigureAwait(false);
    }

    private static string LastWords(MachineFolder folder) => ConsoleTail.Read(folder.Console, 3) is { Count: > 0 } lines ? string.Join("; ", lines) : "it printed nothing";
}
