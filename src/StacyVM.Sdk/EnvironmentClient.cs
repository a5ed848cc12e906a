using System.Globalization;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

/// <summary>
/// Custom images, built from packages by the server's Docker engine, as <see cref="StacyClient.Environments"/>. Changes need the admin key where the server
/// has one. See <see cref="StacyClient"/> for the errors that every call can throw.
/// </summary>
public sealed class EnvironmentClient
{
    private readonly ApiConnection _connection;

    internal EnvironmentClient(ApiConnection connection) => _connection = connection;

    /// <summary>Saves what an image is made of.</summary>
    /// <param name="spec">Owner, name and base image are required.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <exception cref="ServerException">InvalidInput for what is no image or package; Conflict when the owner has a spec of that name.</exception>
    public Task<EnvironmentSpecInfo> CreateSpecAsync(EnvironmentSpecRequest spec, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Post, "environments/specs") { Content = ApiCall.Json(spec, RestJson.Default.EnvironmentSpecRequest) };
        return _connection.CallAsync(call, RestJson.Default.EnvironmentSpecInfo, cancellation);
    }

    /// <summary>The specs of an owner, newest first.</summary>
    public async Task<IReadOnlyList<EnvironmentSpecInfo>> SpecsAsync(string owner, CancellationToken cancellation = default) =>
        await _connection.GetAsync("environments/specs" + Owner(owner), RestJson.Default.ListEnvironmentSpecInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>One spec.</summary>
    /// <exception cref="NotFoundException"/>
    public Task<EnvironmentSpecInfo> SpecAsync(string id, CancellationToken cancellation = default) =>
        _connection.GetAsync("environments/specs/" + Uri.EscapeDataString(id), RestJson.Default.EnvironmentSpecInfo, null, cancellation);

    /// <summary>Names of packages that often come along with those of a spec.</summary>
    /// <exception cref="NotFoundException"/>
    public async Task<IReadOnlyList<string>> SuggestionsAsync(string id, CancellationToken cancellation = default) =>
        (await _connection.GetAsync($"environments/specs/{Uri.EscapeDataString(id)}/suggestions", RestJson.Default.EnvironmentSuggestions, null, cancellation)
            .ConfigureAwait(false)).Suggestions;

    /// <summary>Queues a build and returns at once; ask for it with <see cref="GetBuildAsync"/>. One that finds the queue full is <c>failed</c> already.</summary>
    /// <param name="specId">What to build.</param>
    /// <param name="targets"><c>local</c>, <c>ghcr</c>, <c>dockerhub</c>; null: local.</param>
    /// <param name="cancellation">Gives up the call, not the build.</param>
    /// <exception cref="NotFoundException"/>
    public Task<EnvironmentBuildInfo> BuildAsync(string specId, IEnumerable<string>? targets = null, CancellationToken cancellation = default)
    {
        var request = new EnvironmentBuildRequest { SpecId = specId, Targets = targets is null ? null : [.. targets] };
        var call = new ApiCall(HttpMethod.Post, "environments/builds") { Content = ApiCall.Json(request, RestJson.Default.EnvironmentBuildRequest) };
        return _connection.CallAsync(call, RestJson.Default.EnvironmentBuildInfo, cancellation);
    }

    /// <summary>The builds of an owner with their specs, newest first, each with the end of its log.</summary>
    /// <param name="owner">Whose.</param>
    /// <param name="limit">At most so many, 1 to 200.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<IReadOnlyList<EnvironmentBuildEntry>> BuildsAsync(string owner, int limit = 30, CancellationToken cancellation = default) =>
        await _connection.GetAsync(
            $"environments/builds{Owner(owner)}&limit={limit.ToString(CultureInfo.InvariantCulture)}", RestJson.Default.ListEnvironmentBuildEntry, null, cancellation).ConfigureAwait(false);

    /// <summary>A build with its log so far.</summary>
    /// <exception cref="NotFoundException"/>
    public Task<EnvironmentBuildInfo> GetBuildAsync(string id, CancellationToken cancellation = default) =>
        _connection.GetAsync(BuildPath(id), RestJson.Default.EnvironmentBuildInfo, null, cancellation);

    /// <summary>Ends a build that waits or runs.</summary>
    /// <exception cref="NotFoundException"/>
    /// <exception cref="ServerException">Conflict when it is over.</exception>
    public Task<EnvironmentBuildInfo> CancelBuildAsync(string id, CancellationToken cancellation = default) =>
        _connection.CallAsync(new ApiCall(HttpMethod.Post, BuildPath(id) + "/cancel"), RestJson.Default.EnvironmentBuildInfo, cancellation);

    /// <summary>Image and provider to spawn a sandbox from a build with.</summary>
    /// <exception cref="NotFoundException"/>
    public Task<EnvironmentSpawnConfig> SpawnConfigAsync(string id, CancellationToken cancellation = default) =>
        _connection.GetAsync(BuildPath(id) + "/spawn-config", RestJson.Default.EnvironmentSpawnConfig, null, cancellation);

    /// <summary>Saves an account at a registry, or replaces the one of that id. The secret is sealed at rest and never given back.</summary>
    /// <exception cref="ServerException">InvalidInput; Conflict when the account stands under another id.</exception>
    public Task<RegistryConnectionInfo> SaveRegistryAsync(RegistryConnectionRequest connection, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Post, "environments/registry-connections") { Content = ApiCall.Json(connection, RestJson.Default.RegistryConnectionRequest) };
        return _connection.CallAsync(call, RestJson.Default.RegistryConnectionInfo, cancellation);
    }

    /// <summary>The accounts of an owner, in the order in which builds prefer them.</summary>
    public async Task<IReadOnlyList<RegistryConnectionInfo>> RegistriesAsync(string owner, CancellationToken cancellation = default) =>
        await _connection.GetAsync("environments/registry-connections" + Owner(owner), RestJson.Default.ListRegistryConnectionInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>Forgets an account with its secret.</summary>
    /// <exception cref="NotFoundException"/>
    public Task DeleteRegistryAsync(string id, CancellationToken cancellation = default) =>
        _connection.CallAsync(new ApiCall(HttpMethod.Delete, "environments/registry-connections/" + Uri.EscapeDataString(id)), cancellation);

    private static string Owner(string owner) => "?owner_id=" + Uri.EscapeDataString(owner);

    private static string BuildPath(string id) => "environments/builds/" + Uri.EscapeDataString(id);
}
