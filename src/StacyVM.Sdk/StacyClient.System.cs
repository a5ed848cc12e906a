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
