using StacyVM.Engine.Providers;

namespace StacyVM.Engine.Agents;

/// <summary>The wall around an agent, as its provider knows it: all that <see cref="AgentSandbox"/> cannot do by talking to the agent.</summary>
internal interface IPlace
{
    /// <inheritdoc cref="ISandbox.Image"/>
    string Image { get; }

    /// <inheritdoc cref="ISandbox.Handle"/>
    SandboxHandle Handle { get; }

    /// <inheritdoc cref="ISandbox.StatusAsync"/>
    Task<RuntimeStatus> StatusAsync(CancellationToken cancellation);

    /// <summary>Ends every process behind the wall and removes the wall; see <see cref="ISandbox.DestroyAsync"/>.</summary>
    Task RemoveAsync(CancellationToken cancellation);

    /// <summary>Usage as the host accounts it, or null where only the agent can tell.</summary>
    Task<SandboxUsage?> UsageAsync(CancellationToken cancellation);

    /// <summary>Console lines, oldest first.</summary>
    Task<IReadOnlyList<string>> ConsoleAsync(int lines, CancellationToken cancellation);
}
