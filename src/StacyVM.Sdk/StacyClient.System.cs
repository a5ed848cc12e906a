using System.Net;
using System.Text.Json;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

public sealed partial class StacyClient
{
    /// <summary>Whether the server answers. Without a key, where one is needed, only the status is told.</summary>
    public Task<HealthInfo> HealthAsync(CancellationToken cancellation = default) =>
        _connection.GetAsync("health", RestJson.Default.HealthInfo, null, cancellation);

    /// <summary>Whether sandboxes can be made. A server that is not ready is an answer, not an error.</summary>
    public Task<ReadyInfo> ReadyAsync(CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Get, "ready") { AlsoAccepted = HttpStatusCode.ServiceUnavailable };
        return _connection.CallAsync(call, RestJson.Default.ReadyInfo, cancellation);
    }

    /// <summary>State of the server: limits, levels, sandboxes, operations. Holds no secret.</summary>
    public Task<DiagnosticsInfo> DiagnosticsAsync(CancellationToken cancellation = default) =>
        _connection.GetAsync("diagnostics", RestJson.Default.DiagnosticsInfo, null, cancellation);

    /// <summary>Counters of the server.</summary>
    public Task<MetricsInfo> MetricsAsync(CancellationToken cancellation = default) =>
        _connection.GetAsync("metrics", RestJson.Default.MetricsInfo, null, cancellation);

    /// <summary>Counters of the server in Prometheus' text format.</summary>
    public async Task<string> PrometheusMetricsAsync(CancellationToken cancellation = default)
    {
        using HttpResponseMessage answer = await _connection.SendAsync(new ApiCall(HttpMethod.Get, "metrics/prometheus"), cancellation).ConfigureAwait(false);
        return await answer.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>The machines that host sandboxes; the server itself is <see cref="WorkerInfo.Local"/>.</summary>
    public async Task<IReadOnlyList<WorkerInfo>> WorkersAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("workers", RestJson.Default.ListWorkerInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>One of them.</summary>
    /// <exception cref="NotFoundException"/>
    public Task<WorkerInfo> WorkerAsync(string id, CancellationToken cancellation = default) =>
        _connection.GetAsync("workers/" + Uri.EscapeDataString(id), RestJson.Default.WorkerInfo, null, cancellation);

    /// <summary>Load of the server's machine. The first answer knows no rates yet.</summary>
    public Task<SystemStats> SystemStatsAsync(CancellationToken cancellation = default) =>
        _connection.GetAsync("system/stats", RestJson.Default.SystemStats, null, cancellation);

    /// <summary>Images of which a level has a checkpoint to start from.</summary>
    public async Task<IReadOnlyList<SnapshotInfo>> SnapshotsAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("snapshots", RestJson.Default.ListSnapshotInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>State of the pool.</summary>
    public Task<PoolStatus> PoolStatusAsync(CancellationToken cancellation = default) =>
        _connection.GetAsync("pool/status", RestJson.Default.PoolStatus, null, cancellation);

    /// <summary>Changes keys of the server's configuration file: all of them, or none.</summary>
    /// <param name="values">Dotted key → value as the file would have it. Only limits, lifetimes, rates and logging can be changed so.</param>
    /// <param name="cancellation">Abandons the call.</param>
    /// <exception cref="ServerException">InvalidInput names every fault.</exception>
    public Task<ConfigUpdate> UpdateConfigAsync(IReadOnlyDictionary<string, string> values, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Patch, "config") { Content = ApiCall.Json(new Dictionary<string, string>(values), RestJson.Default.DictionaryStringString) };
        return _connection.CallAsync(call, RestJson.Default.ConfigUpdate, cancellation);
    }

    /// <summary>The isolation levels, with their health.</summary>
    public async Task<IReadOnlyList<ProviderInfo>> ProvidersAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("providers", RestJson.Default.ListProviderInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>One isolation level.</summary>
    /// <exception cref="NotFoundException"/>
    public Task<ProviderDetail> ProviderAsync(string name, CancellationToken cancellation = default) =>
        _connection.GetAsync("providers/" + Uri.EscapeDataString(name), RestJson.Default.ProviderDetail, null, cancellation);

    /// <summary>Tries every level now: name → whether sandboxes can be made there.</summary>
    public async Task<IReadOnlyDictionary<string, bool>> ProvidersTestAsync(CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Post, "providers/test") { Unhurried = true };
        return await _connection.CallAsync(call, RestJson.Default.DictionaryStringBoolean, cancellation).ConfigureAwait(false);
    }

    /// <summary>The answer of any GET as the server has it, for what this library has no member for.</summary>
    /// <param name="path">Below <c>/api/v1/</c>, escaped, e.g. <c>diagnostics</c>.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public Task<JsonElement> ReadJsonAsync(string path, CancellationToken cancellation = default) =>
        _connection.GetAsync(path, RestJson.Default.JsonElement, null, cancellation);

    /// <summary>
    /// Events as they happen, until cancelled. A broken connection is made again, and what happened meanwhile is delivered, as far as the
    /// server still has it (its last 1,000 events). Errors that trying again cannot cure, such as a wrong key, are thrown.
    /// </summary>
    /// <param name="filter">Which ones; null: all.</param>
    /// <param name="cancellation">Ends the enumeration.</param>
    public IAsyncEnumerable<EventMessage> EventsAsync(EventFilter? filter = null, CancellationToken cancellation = default) =>
        new EventStream(_connection, filter ?? new EventFilter()).ReadAsync(cancellation);
}
