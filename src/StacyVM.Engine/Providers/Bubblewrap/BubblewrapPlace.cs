using System.Globalization;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>The wall of one sandbox: its first process, its control groups, its directory.</summary>
internal sealed class BubblewrapPlace(string id, BubblewrapState state, SandboxFolder folder, CgroupTree cgroups, Func<Task> remove) : IPlace
{
    private static readonly Dictionary<int, string> SignalNames = new()
    {
        [4] = "SIGILL",
        [6] = "SIGABRT",
        [7] = "SIGBUS",
        [9] = "SIGKILL",
        [11] = "SIGSEGV",
        [15] = "SIGTERM",
        [25] = "SIGXFSZ",
        [31] = "SIGSYS",
    };

    private readonly UsageSampler _sampler = new();

    public string Image => state.Image;

    public SandboxHandle Handle { get; } = state.ToHandle();

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation)
    {
        if (state.Process.IsAlive)
            return Task.FromResult(new RuntimeStatus(folder.IsPaused ? RuntimeState.Paused : RuntimeState.Running));
        return Task.FromResult(folder.Exists ? new RuntimeStatus(RuntimeState.Stopped, Reason()) : new RuntimeStatus(RuntimeState.Gone, "nothing of it is left"));
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

    public Task<IReadOnlyList<string>> ConsoleAsync(int lines, CancellationToken cancellation) => Task.FromResult(folder.ReadConsole(lines));

    private string Reason()
    {
        if (folder.ReadEnding() is { } ending)
            return ending;
        string reason = folder.ReadExitCode() switch
        {
            null => "its processes were killed from outside, or the host was restarted",
            > 128 and int code => string.Create(CultureInfo.InvariantCulture, $"its agent was ended by {SignalNames.GetValueOrDefault(code - 128, "signal " + (code - 128).ToString(CultureInfo.InvariantCulture))}"),
            int code => string.Create(CultureInfo.InvariantCulture, $"its agent ended with code {code}"),
        };
        if (cgroups.OutOfMemoryKills(id) is > 0 and long kills)
            reason += string.Create(CultureInfo.InvariantCulture, $"; out of memory: {kills} processes were killed");
        return folder.ReadConsole(1) is [string last] ? $"{reason}; console: {last}" : reason;
    }
}
