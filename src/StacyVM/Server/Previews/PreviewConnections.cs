using System.Collections.Concurrent;
using StacyVM.Engine.Events;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Rest;

namespace StacyVM.Server.Previews;

/// <summary>
/// Pools of connections into sandboxes, one pool for each life of a sandbox: a connection that was kept open can never reach another sandbox.
/// A pool goes when its sandbox is destroyed, or is seen to be another one under the same id.
/// </summary>
internal sealed class PreviewConnections(EventBus events) : IDisposable
{
    private readonly ConcurrentDictionary<string, Pool> _pools = new();

    public HttpMessageInvoker For(ISandbox sandbox, IForwardsPorts ports)
    {
        while (true)
        {
            Pool pool = _pools.GetOrAdd(sandbox.Id, static (_, life) => Open(life.sandbox, life.ports), (sandbox, ports));
            if (ReferenceEquals(pool.Sandbox, sandbox))
                return pool.Invoker;
            Drop(sandbox.Id, pool);
        }
    }

    /// <summary>Drops pools of destroyed sandboxes until cancelled.</summary>
    public async Task FollowAsync(CancellationToken cancellation)
    {
        await foreach (EventMessage message in events.SubscribeAsync(null, cancellation))
        {
            if (message is { Type: "sandbox.destroyed", SandboxId: { } id } && _pools.TryGetValue(id, out Pool? pool))
                Drop(id, pool);
        }
    }

    public void Dispose()
    {
        foreach (var (id, pool) in _pools)
            Drop(id, pool);
    }

    private void Drop(string id, Pool pool)
    {
        if (_pools.TryRemove(KeyValuePair.Create(id, pool)))
            pool.Invoker.Dispose();
    }

    private static Pool Open(ISandbox sandbox, IForwardsPorts ports) => new(sandbox, new HttpMessageInvoker(new SocketsHttpHandler
    {
        ConnectCallback = async (connect, cancellation) => await ports.ConnectAsync(connect.DnsEndPoint.Port, cancellation),
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = System.Net.DecompressionMethods.None,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(10),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        MaxConnectionsPerServer = 512,
    }));

    private sealed record Pool(ISandbox Sandbox, HttpMessageInvoker Invoker);
}
