using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Cli.Serve;
using StacyVM.Engine;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Sandboxes;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;

namespace StacyVM.Cli.Operations;

/// <summary>The sandboxes that live on without their server. They are destroyed as a server would do it, before what it takes is removed.</summary>
internal sealed class LastSandboxes : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    private readonly StacyEngine _engine;

    private LastSandboxes(StacyEngine engine) => _engine = engine;

    public IReadOnlyList<SandboxInfo> All => _engine.Sandboxes.List(Caller.System);

    /// <exception cref="StacyVMException">A server has the data directory; says which.</exception>
    public static async Task<LastSandboxes> FindAsync(StacyOptions options)
    {
        EmbeddedAgent.Require();
        return new LastSandboxes(await StacyEngine.OpenAsync(options, EmbeddedAgent.Open, NullLoggerFactory.Instance));
    }

    /// <summary>Returns when none is left.</summary>
    /// <exception cref="StacyVMException">One could not be destroyed; nothing else was removed.</exception>
    public async Task DestroyAsync()
    {
        using var bound = new CancellationTokenSource(Patience);
        await Task.WhenAll(All.Select(info => _engine.Sandboxes.DestroyAsync(info.Id, Caller.System, bound.Token)));
        if (All is { Count: > 0 } left)
            throw new StacyVMException(ProblemKind.Unavailable, $"{left.Count} sandboxes are still being destroyed, among them {left[0].Id}: try again");
    }

    public ValueTask DisposeAsync() => _engine.DisposeAsync();
}
