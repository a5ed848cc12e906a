using System.Globalization;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux.Cgroups;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>The wall of one sandbox: its kernel, its control groups, its directory.</summary>
internal sealed class GvisorPlace(string id, GvisorState state, GvisorFolder folder, CgroupTree cgroups, Func<Task> remove) : IPlace
{
    private readonly UsageSampler _sampler = new();

    public string Image => state.Image;

    public SandboxHandle Handle { get; } = state.ToHandle();

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation)
    {
        if (state.Process.IsAlive)
            return Task.FromResult(new RuntimeStatus(RuntimeState.Running));
        return Task.FromResult(folder.Exists ? new RuntimeStatus(RuntimeState.Stopped, Reason()) : new RuntimeStatus(RuntimeState.Gone, "nothing of it is left"));
    }

    public Task RemoveAsync(CancellationToken cancellation) => remove();

    /// <summary>As this machine accounts it, gVisor's own part included; processes are known to the sandbox's kernel alone, so they are asked of the agent.</summary>
    public Task<SandboxUsage?> UsageAsync(CancellationToken cancellation)
    {
        CgroupUsage usage = cgroups.Usage(id);
        if (usage is not { CpuTime: { } cpu, MemoryBytes: { } memory, Processes: { } processes })
            return Task.FromResult<SandboxUsage?>(null);
        long limit = cgroups.Enforces("memory") ? (state.MemoryMb + GvisorLimits.OverheadMb) * 1024L * 1024 : 0;
        return Task.FromResult<SandboxUsage?>(new SandboxUsage(cpu, _sampler.Percent(cpu), memory, limit, processes, -1));
    }

    public Task<IReadOnlyList<string>> ConsoleAsync(int lines, CancellationToken cancellation) => Task.FromResult(folder.ReadConsole(lines));

    private string Reason()
    {
        if (folder.ReadEnding() is { } ending)
            return ending;
        string reason = "its agent or its gVisor kernel ended, or was killed from outside";
        if (cgroups.OutOfMemoryKills(id) is > 0 and long kills)
            reason = string.Create(CultureInfo.InvariantCulture, $"out of memory: its gVisor kernel, which holds the memory of all its processes, was ended at {state.MemoryMb} MiB ({kills} kills)");
        return folder.ReadConsole(1) is [string last] ? $"{reason}; console: {last}" : reason;
    }
}
