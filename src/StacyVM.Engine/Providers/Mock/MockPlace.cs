using StacyVM.Engine.Agents;

namespace StacyVM.Engine.Providers.Mock;

/// <summary>No wall at all: a directory and an agent.</summary>
internal sealed class MockPlace(MockFolder folder, MockState state, Func<Task> remove) : IPlace
{
    public string Image => MockProvider.ImageName;

    public SandboxHandle Handle { get; } = state.ToHandle();

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation)
    {
        if (state.IsAlive)
            return Task.FromResult(new RuntimeStatus(folder.IsPaused ? RuntimeState.Paused : RuntimeState.Running));
        return Task.FromResult(folder.Exists
            ? new RuntimeStatus(RuntimeState.Stopped, string.Join("; ", folder.ReadConsole(1).DefaultIfEmpty("its agent has ended")))
            : new RuntimeStatus(RuntimeState.Gone, "nothing of it is left"));
    }

    public Task RemoveAsync(CancellationToken cancellation) => remove();

    public Task<SandboxUsage?> UsageAsync(CancellationToken cancellation) => Task.FromResult<SandboxUsage?>(null);

    public Task<IReadOnlyList<string>> ConsoleAsync(int lines, CancellationToken cancellation) => Task.FromResult(folder.ReadConsole(lines));
}
