using System.Collections.Concurrent;
using StacyVM.Engine.Providers;

namespace StacyVM.Tests.Server.Scripted;

/// <summary>A level whose sandboxes live in memory and do what a test tells them.</summary>
internal sealed class ScriptedProvider : ISandboxProvider
{
    private readonly ConcurrentDictionary<string, ScriptedSandbox> _sandboxes = new();
    private int _questions;

    public string Name => "scripted";

    public IReadOnlyList<string> Traits => ["test_provider"];

    public IReadOnlyDictionary<string, string> PublicSettings => new Dictionary<string, string> { ["type"] = "scripted" };

    /// <summary>How often the level was probed or listed.</summary>
    public int Questions => Volatile.Read(ref _questions);

    public ScriptedSandbox this[string id] => _sandboxes[id];

    /// <summary>Told of each sandbox before anything runs in it.</summary>
    public Action<ScriptedSandbox, SandboxSpec> Made { get; set; } = static (_, _) => { };

    public Task<ProviderHealth> ProbeAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _questions);
        return Task.FromResult(new ProviderHealth(true));
    }

    /// <summary>How many there are.</summary>
    public int Count => _sandboxes.Count;

    public Task<ISandbox> CreateAsync(string id, SandboxSpec spec, IProgress<string>? progress, CancellationToken cancellation)
    {
        ScriptedSandbox sandbox = _sandboxes[id] = new ScriptedSandbox(id, spec.Image, gone => _sandboxes.TryRemove(gone, out _));
        Made(sandbox, spec);
        return Task.FromResult<ISandbox>(sandbox);
    }

    public Task<ISandbox?> RecoverAsync(string id, SandboxHandle handle, CancellationToken cancellation) =>
        Task.FromResult<ISandbox?>(_sandboxes.GetValueOrDefault(id));

    public Task<IReadOnlyList<ListedRuntime>> ListAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _questions);
        return Task.FromResult<IReadOnlyList<ListedRuntime>>([.. _sandboxes.Values.Select(sandbox => new ListedRuntime(sandbox.Id, true, sandbox.Handle))]);
    }

    public Task RemoveAsync(string id, CancellationToken cancellation)
    {
        _sandboxes.TryRemove(id, out _);
        return Task.CompletedTask;
    }
}
