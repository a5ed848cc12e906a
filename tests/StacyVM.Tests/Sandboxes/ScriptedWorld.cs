using System.Collections.Concurrent;

namespace StacyVM.Tests.Sandboxes;

/// <summary>What really runs, whatever server looks at it.</summary>
internal sealed class ScriptedWorld
{
    public ConcurrentDictionary<string, ScriptedRuntime> Runtimes { get; } = new();
}

internal sealed class ScriptedRuntime(string id, string image)
{
    public string Id { get; } = id;

    public string Image { get; } = image;

    public volatile bool Running = true;
}
