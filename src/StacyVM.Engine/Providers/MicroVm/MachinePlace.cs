using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>The wall of one sandbox: a machine, in a process of this host.</summary>
internal sealed class MachinePlace(MachineState state, MachineFolder folder, CgroupTree cgroups, Func<Task> remove) : IPlace
{
    public string Image => state.Image;

    public SandboxHandle Handle { get; } = state.ToHandle();

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation)
    {
        if (state.Process.IsAlive)
            return Task.FromResult(folder.IsPaused ? new RuntimeStatus(RuntimeState.Paused, "it was paused") : new RuntimeStatus(RuntimeState.Running));
        return Task.FromResult(folder.Exists ? new RuntimeStatus(RuntimeState.Stopped, Reason()) : new RuntimeStatus(RuntimeState.Gone, "nothing of it is left"));
    }

    public Task RemoveAsync(CancellationToken cancellation) => remove();

    /// <summary>The host sees one process; what runs in the machine only its agent knows.</summary>
    public Task<SandboxUsage?> UsageAsync(CancellationToken cancellation) => Task.FromResult<SandboxUsage?>(null);

    public Task<IReadOnlyList<string>> ConsoleAsync(int lines, CancellationToken cancellation) => Task.FromResult(ConsoleTail.Read(folder.Console, lines));

    private string Reason()
    {
        string reason = "its machine has ended, was killed from outside, or the host was restarted";
        if (cgroups.OutOfMemoryKills(folder.Id) > 0)
            reason = "its machine took more memory than the host lets it have";
        return ConsoleTail.Read(folder.Console, 1) is [string last] ? $"{reason}; console: {last}" : reason;
    }
}
