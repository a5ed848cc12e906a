using Microsoft.Extensions.Logging;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Events;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Sandboxes;

namespace StacyVM.Engine;

/// <summary>Everything of a server that is neither HTTP nor terminal, built in one place.</summary>
internal sealed class StacyEngine : IAsyncDisposable
{
    public SandboxDirectory Sandboxes => throw new NotSupportedException();

    public CommandRunner Commands => throw new NotSupportedException();

    public SandboxFileAccess Files => throw new NotSupportedException();

    public EventBus Events => throw new NotSupportedException();

    public ProviderRegistry Providers => throw new NotSupportedException();

    public OperationCounters Counters => throw new NotSupportedException();

    /// <summary>
    /// Opens the data directory and takes up what lives in it. Returns as soon as the records are known; sandboxes are recovered and providers
    /// probed in the background.
    /// </summary>
    /// <param name="options">Validated.</param>
    /// <param name="agentProgram">Opens the embedded agent's bytes.</param>
    /// <param name="loggers">Where it logs.</param>
    /// <param name="time">The clock.</param>
    /// <param name="providers">What makes the providers; null: those of the configuration.</param>
    /// <exception cref="Protocol.Problems.StacyVMException">Unavailable, with the path and what to do, when the data directory or the store cannot be used.</exception>
    public static Task<StacyEngine> OpenAsync(
        StacyOptions options,
        Func<Stream> agentProgram,
        ILoggerFactory loggers,
        TimeProvider? time = null,
        IEnumerable<Func<AgentHost, ILoggerFactory, ISandboxProvider>>? providers = null) => throw new NotSupportedException();

    /// <summary>Takes no new work, ends creates that are under way, writes what is buffered. Sandboxes live on.</summary>
    public Task StopAsync(CancellationToken cancellation) => throw new NotSupportedException();

    public ValueTask DisposeAsync() => throw new NotSupportedException();
}
