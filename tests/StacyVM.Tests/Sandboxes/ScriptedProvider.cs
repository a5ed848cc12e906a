using System.Collections.Concurrent;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;

namespace StacyVM.Tests.Sandboxes;

/// <summary>
/// A level without walls that does what its script says: fails, hangs, lies. What it "runs" lives in a <see cref="ScriptedWorld"/>, which
/// outlives it as real runtimes outlive a server. It is strict: what a provider must never be asked is an error here.
/// </summary>
internal sealed class ScriptedProvider(ScriptedWorld world, string name = "scripted") : ISandboxProvider, ICheckpoints, IPauses
{
    public string Name => name;

    public IReadOnlyList<string> Traits => ["test_provider"];

    public IReadOnlyDictionary<string, string> PublicSettings { get; } = new Dictionary<string, string> { ["type"] = name };

    /// <summary>Run before each step; may wait, throw, or change the world.</summary>
    public Func<string, CancellationToken, Task> BeforeCreate { get; set; } = static (_, _) => Task.CompletedTask;

    /// <summary>Run when the runtime exists, before create returns.</summary>
    public Func<string, CancellationToken, Task> AfterCreate { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<string, CancellationToken, Task> BeforeRemove { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<string, CancellationToken, Task> BeforeRecover { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<CancellationToken, Task> BeforeList { get; set; } = static _ => Task.CompletedTask;

    public Func<CancellationToken, Task<ProviderHealth>> Probe { get; set; } = static _ => Task.FromResult(new ProviderHealth(true));

    /// <summary>Ids that the list leaves out although they run.</summary>
    public ConcurrentDictionary<string, bool> Unlisted { get; } = new();

    public SandboxSpec? LastSpec { get; private set; }

    public int Creates;
    public int Removes;
    public int Recoveries;
    public int Probes;

    public Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref Probes);
        return Probe(cancellation);
    }

    public async Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        Interlocked.Increment(ref Creates);
        LastSpec = spec;
        await BeforeCreate(id, cancellation);
        progress?.Report("pulling the image");
        var runtime = new ScriptedRuntime(id, spec.ImageIsDefault ? "host" : spec.Image);
        if (!world.Runtimes.TryAdd(id, runtime))
            throw new InvalidOperationException($"{id} was created twice");
        await AfterCreate(id, cancellation);
        return new ScriptedSandbox(this, world, runtime);
    }

    public async Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation)
    {
        Interlocked.Increment(ref Recoveries);
        await BeforeRecover(id, cancellation);
        if (handle != ScriptedSandbox.HandleOf(id))
            throw new InvalidOperationException($"{id} was recovered with a strange handle {handle}");
        return world.Runtimes.TryGetValue(id, out ScriptedRuntime? runtime) && runtime.Running ? new ScriptedSandbox(this, world, runtime) : null;
    }

    public async Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        await BeforeList(cancellation);
        return [.. world.Runtimes.Values.Where(runtime => !Unlisted.ContainsKey(runtime.Id)).Select(runtime => new ListedRuntime(runtime.Id, runtime.Running))];
    }

    public async Task RemoveAsync(string id, CancellationToken cancellation)
    {
        Interlocked.Increment(ref Removes);
        await BeforeRemove(id, cancellation);
        world.Runtimes.TryRemove(id, out _);
    }

    public CheckpointContent Content => CheckpointContent.Files;

    public Func<string, CancellationToken, Task> BeforeSave { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<string, CancellationToken, Task> BeforeRestore { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<string, CancellationToken, Task> BeforeRemoveCheckpoint { get; set; } = static (_, _) => Task.CompletedTask;

    public Func<string, CancellationToken, Task> BeforePause { get; set; } = static (_, _) => Task.CompletedTask;

    public async Task<long> SaveAsync(string id, string checkpoint, CancellationToken cancellation)
    {
        await BeforeSave(id, cancellation);
        if (!world.Runtimes.ContainsKey(id))
            throw new StacyVMException(ProblemKind.SandboxGone, id);
        if (!world.Checkpoints.TryAdd(checkpoint, id))
            throw new InvalidOperationException($"{checkpoint} was made twice");
        return 1000;
    }

    public async Task<ISandbox> RestoreAsync(string id, string checkpoint, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        await BeforeRestore(id, cancellation);
        LastSpec = spec;
        if (!world.Checkpoints.ContainsKey(checkpoint))
            throw new StacyVMException(ProblemKind.NotFound, checkpoint);
        var runtime = new ScriptedRuntime(id, spec.Image) { Checkpoint = checkpoint };
        if (!world.Runtimes.TryAdd(id, runtime))
            throw new InvalidOperationException($"{id} was created twice");
        return new ScriptedSandbox(this, world, runtime);
    }

    public Task<IReadOnlyList<string>> ListCheckpointsAsync(CancellationToken cancellation) => Task.FromResult<IReadOnlyList<string>>([.. world.Checkpoints.Keys]);

    public async Task RemoveCheckpointAsync(string checkpoint, CancellationToken cancellation)
    {
        await BeforeRemoveCheckpoint(checkpoint, cancellation);
        world.Checkpoints.TryRemove(checkpoint, out _);
    }

    public async Task PauseAsync(string id, CancellationToken cancellation)
    {
        await BeforePause(id, cancellation);
        world.Runtimes[id].Paused = true;
    }

    public Task ResumeAsync(string id, CancellationToken cancellation)
    {
        world.Runtimes[id].Paused = false;
        return Task.CompletedTask;
    }

    /// <summary>A step that cannot be done now.</summary>
    public static StacyVMException Down(string what = "the daemon does not answer") => new(ProblemKind.ProviderUnavailable, what);
}
