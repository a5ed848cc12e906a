using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

/// <summary>
/// A client of one StacyVM server. Safe for many threads; make one and keep it. Every call can be cancelled, which makes the server abandon
/// what it was doing for it.
/// </summary>
/// <remarks>
/// Every call throws <see cref="ConnectionException"/> when the server cannot be reached, <see cref="ServerTimeoutException"/> when it is
/// silent for too long, and otherwise a <see cref="ServerException"/> or one of its subclasses with the server's own text; the
/// <see cref="StacyVMException.Kind"/> of all of them is a row of the problem table.
/// </remarks>
public sealed partial class StacyClient : IDisposable
{
    private readonly ApiConnection _connection;

    /// <summary>A client of the server at the default address, without a key.</summary>
    public StacyClient()
        : this(new StacyClientOptions())
    {
    }

    /// <param name="baseUrl">See <see cref="StacyClientOptions.BaseUrl"/>.</param>
    /// <param name="apiKey">See <see cref="StacyClientOptions.ApiKey"/>.</param>
    public StacyClient(string baseUrl, string? apiKey = null)
        : this(new StacyClientOptions { BaseUrl = baseUrl, ApiKey = apiKey })
    {
    }

    /// <exception cref="ArgumentException">The address is not one.</exception>
    public StacyClient(StacyClientOptions options)
    {
        _connection = new ApiConnection(options);
        Templates = new TemplateClient(_connection);
        Environments = new EnvironmentClient(_connection);
    }

    /// <summary>The server's address, as it was given.</summary>
    public string BaseUrl => _connection.Address.Text;

    /// <summary>Named recipes for sandboxes.</summary>
    public TemplateClient Templates { get; }

    /// <summary>Custom images, built from packages.</summary>
    public EnvironmentClient Environments { get; }

    /// <summary>Starts a sandbox and waits until it can run commands. Waits as long as an image pull takes.</summary>
    /// <param name="request">What to start; everything left out is the server's default.</param>
    /// <param name="cancellation">Abandons the spawn; nothing stays behind.</param>
    /// <exception cref="ServerException">InvalidInput, ResourceLimit; as <see cref="NotFoundException"/> for an unknown provider, as
    /// <see cref="ProviderException"/> when the level cannot work now.</exception>
    public async Task<Sandbox> SpawnAsync(SpawnRequest? request = null, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Post, "sandboxes")
        {
            Content = ApiCall.Json(request ?? new SpawnRequest(), RestJson.Default.SpawnRequest),
            Unhurried = true,
        };
        SandboxInfo info = await _connection.CallAsync(call, RestJson.Default.SandboxInfo, cancellation).ConfigureAwait(false);
        return new Sandbox(_connection, info);
    }

    /// <summary>Starts a sandbox from an image.</summary>
    /// <inheritdoc cref="SpawnAsync(SpawnRequest, CancellationToken)"/>
    public Task<Sandbox> SpawnAsync(string image, CancellationToken cancellation = default) =>
        SpawnAsync(new SpawnRequest { Image = image }, cancellation);

    /// <summary>Starts a sandbox, runs the callback with it and destroys it, whatever happened. A failure to destroy is not reported: its time to live ends it.</summary>
    public async Task<T> WithSandboxAsync<T>(SpawnRequest? request, Func<Sandbox, Task<T>> use, CancellationToken cancellation = default)
    {
        Sandbox sandbox = await SpawnAsync(request, cancellation).ConfigureAwait(false);
        await using (sandbox.ConfigureAwait(false))
            return await use(sandbox).ConfigureAwait(false);
    }

    /// <inheritdoc cref="WithSandboxAsync{T}"/>
    public async Task WithSandboxAsync(SpawnRequest? request, Func<Sandbox, Task> use, CancellationToken cancellation = default)
    {
        Sandbox sandbox = await SpawnAsync(request, cancellation).ConfigureAwait(false);
        await using (sandbox.ConfigureAwait(false))
            await use(sandbox).ConfigureAwait(false);
    }

    /// <summary>A living sandbox.</summary>
    /// <exception cref="SandboxNotFoundException"/>
    public async Task<Sandbox> GetAsync(string id, CancellationToken cancellation = default)
    {
        SandboxInfo info = await _connection
            .GetAsync("sandboxes/" + Uri.EscapeDataString(id), RestJson.Default.SandboxInfo, id, cancellation).ConfigureAwait(false);
        return new Sandbox(_connection, info);
    }

    /// <summary>
    /// A sandbox by its id, without asking the server: its <see cref="Sandbox.State"/> is <c>unknown</c> until <see cref="Sandbox.RefreshAsync"/>.
    /// </summary>
    public Sandbox Refer(string id) => new(_connection, id);

    /// <summary>All sandboxes the caller may see, newest first.</summary>
    public async Task<IReadOnlyList<SandboxInfo>> ListAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("sandboxes", RestJson.Default.ListSandboxInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>Destroys what has expired and is still there.</summary>
    /// <returns>How many.</returns>
    public async Task<int> PruneAsync(CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Delete, "sandboxes") { Unhurried = true };
        return (await _connection.CallAsync(call, RestJson.Default.PruneResult, cancellation).ConfigureAwait(false)).Pruned;
    }

    /// <summary>Closes the connections. Sandboxes live on.</summary>
    public void Dispose() => _connection.Dispose();
}
