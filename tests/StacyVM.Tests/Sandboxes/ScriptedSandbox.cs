using StacyVM.Engine.Providers;

namespace StacyVM.Tests.Sandboxes;

/// <summary>A sandbox of a <see cref="ScriptedProvider"/>.</summary>
internal sealed class ScriptedSandbox(ScriptedProvider provider, ScriptedWorld world, ScriptedRuntime runtime) : ISandbox, IKeepsProcesses
{
    public static SandboxHandle HandleOf(string id) => new(1, $$"""{"id":"{{id}}"}""");

    public string Id => runtime.Id;

    public string Image => runtime.Image;

    public SandboxHandle Handle => HandleOf(runtime.Id);

    /// <summary>What an exec does.</summary>
    public Func<ExecSpec, ScriptedSession> Exec { get; set; } = static _ => new ScriptedSession();

    public Func<Task<RuntimeStatus>>? Status { get; set; }

    public ISandboxFiles Files { get; set; } = null!;

    public Task<RuntimeStatus> StatusAsync(CancellationToken cancellation) => Status?.Invoke() ?? Task.FromResult(
        !world.Runtimes.ContainsKey(Id) ? new RuntimeStatus(RuntimeState.Gone)
        : runtime.Running && runtime.Paused ? new RuntimeStatus(RuntimeState.Paused)
        : runtime.Running ? new RuntimeStatus(RuntimeState.Running)
        : new RuntimeStatus(RuntimeState.Stopped, "exit code 137, out of memory"));

    public Task<IExecSession> StartAsync(ExecSpec spec, CancellationToken cancellation)
    {
        ScriptedSession session = Exec(spec);
        session.Spec = spec;
        return Task.FromResult<IExecSession>(session);
    }

    public Task DestroyAsync(CancellationToken cancellation) => provider.RemoveAsync(Id, cancellation);

    public Task<IReadOnlyList<ProcessSnapshot>> ListProcessesAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<ProcessSnapshot>>([]);

    public Task<IExecSession> AttachAsync(uint process, ulong offset, CancellationToken cancellation) => StartAsync(new ExecSpec { Arguments = ["attached"] }, cancellation);

    public Task SignalProcessAsync(uint process, int signal, CancellationToken cancellation) => Task.CompletedTask;
}
