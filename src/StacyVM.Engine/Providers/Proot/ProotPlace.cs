using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;

namespace StacyVM.Engine.Providers.Proot;

/// <summary>What is around the agent of one sandbox: its process, its control groups, its directory.</summary>
internal sealed class ProotPlace(string id, ProotState state, ProotFolder folder, CgroupTree cgroups, Func<Task> remove) : IPlace
{
    private readonly UsageSampler _sampler = new();

    public string Image => state.Image;

    public SandboxHandle Handle { get; } = state.ToHandle();

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation)
    {
        if (state.Process.IsAlive)
            return Task.FromResult(new RuntimeStatus(RuntimeState.Running));
        if (!folder.Exists)
            return Task.FromResult(new RuntimeStatus(RuntimeState.Gone, "nothing of it is left"));
        string reason = cgroups.OutOfMemoryKills(id) is > 0 and long kills ? $"its agent has ended; out of memory: {kills} processes were killed" : "its agent has ended, or the host was restarted";
        return Task.FromResult(new RuntimeStatus(RuntimeState.Stopped, ConsoleTail.Read(folder.Console, 1) is [string last] ? $"{reason}; console: {last}" : reason));
    }

    public Task RemoveAsync(CancellationToken cancellation) => remove();

    public Task<SandboxUsage?> UsageAsync(CancellationToken cancellation)
    {
        CgroupUsage usage = cgroups.Usage(id);
        if (usage is not { CpuTime: { } cpu, MemoryBytes: { } memory, Processes: { } processes })
            return Task.FromResult<SandboxUsage?>(null);
        long limit = cgroups.Enforces("memory") ? state.MemoryMb * 1024L * 1024 : 0;
        return Task.FromResult<SandboxUsage?>(new SandboxUsage(cpu, _sampler.Percent(cpu), memory, limit, processes, -1));
    }

    public Task<IReadOnlyList<string>> ConsoleAsync(int lines, CancellationToken cancellation) => Task.FromResult(ConsoleTail.Read(folder.Console, lines));
}
