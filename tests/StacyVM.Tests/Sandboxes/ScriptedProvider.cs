using System.Collections.Concurrent;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;

namespace StacyVM.Tests.Sandboxes;

/// <summary>
/// A level without walls that does what its script says: fails, hangs, lies. What it "runs" lives in a <see cref="ScriptedWorld"/>, which
/// outlives it as real runtimes outlive a server. It is strict: what a provider must never be asked is an error here.
/// </summary>
internal sealed class ScriptedProvider(ScriptedWorld world, string name = "scripted") : ISandboxProvider
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

    /// <summary>A step that cannot be done now.</summary>
    public static StacyVMException Down(string what = "the daemon does not answer") => new(ProblemKind.ProviderUnavailable, what);
}
