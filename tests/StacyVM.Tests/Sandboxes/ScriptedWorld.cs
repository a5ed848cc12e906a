using System.Collections.Concurrent;

namespace StacyVM.Tests.Sandboxes;

/// <summary>What really runs, whatever server looks at it.</summary>
internal sealed class ScriptedWorld
{
    public ConcurrentDictionary<string, ScriptedRuntime> Runtimes { get; } = new();

    /// <summary>What is saved, and of which sandbox.</summary>
    public ConcurrentDictionary<string, string> Checkpoints { get; } = new();
}

internal sealed class ScriptedRuntime(string id, string image)
{
    public string Id { get; } = id;

    public string Image { get; } = image;

    /// <summary>What it began with.</summary>
    public string? Checkpoint { get; init; }

    public volatile bool Running = true;

    public volatile bool Paused;
}
