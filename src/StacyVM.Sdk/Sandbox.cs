using StacyVM.Protocol;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

/// <summary>
/// A sandbox: its commands, its files, its ports and its life. Safe for many threads. Disposing destroys the sandbox; without that its
/// time to live ends it.
/// </summary>
/// <remarks>See <see cref="StacyClient"/> for the errors that every call can throw; all of them throw <see cref="SandboxNotFoundException"/>
/// when the sandbox exists no longer, and <see cref="ProviderException"/> of kind <see cref="ProblemKind.SandboxGone"/> when it ends under the call.</remarks>
public sealed partial class Sandbox : IAsyncDisposable
{
    private readonly ApiConnection _connection;
    private readonly string _path;
    private SandboxInfo? _info;

    internal Sandbox(ApiConnection connection, SandboxInfo info)
        : this(connection, info.Id) => _info = info;

    internal Sandbox(ApiConnection connection, string id)
    {
        _connection = connection;
        Id = id;
        _path = "sandboxes/" + Uri.EscapeDataString(id);
    }

    public string Id { get; }

    /// <summary>As the server last told it; null when it was never asked. See <see cref="RefreshAsync"/>.</summary>
    public SandboxInfo? Info => _info;

    /// <summary>One of <see cref="SandboxStates"/>, or <c>unknown</c> when the server was never asked.</summary>
    public string State => _info?.State ?? "unknown";

    public string Provider => _info?.Provider ?? "";

    /// <summary>The image that really runs.</summary>
    public string Image => _info?.Image ?? "";

    /// <summary>Memory limit in MiB.</summary>
    public int MemoryMb => _info?.MemoryMb ?? 0;

    public int Vcpus => _info?.Vcpus ?? 0;

    /// <summary>When it is destroyed unless extended; null when the server was never asked.</summary>
    public DateTime? ExpiresAt => _info?.ExpiresAt;

    /// <summary>Asks the server again.</summary>
    /// <returns>This object.</returns>
    public async Task<Sandbox> RefreshAsync(CancellationToken cancellation = default)
    {
        _info = await _connection.GetAsync(_path, RestJson.Default.SandboxInfo, Id, cancellation).ConfigureAwait(false);
        return this;
    }

    /// <summary>Lets it live for so long from now on; this replaces its expiry and may bring it nearer.</summary>
    /// <exception cref="ServerException">ResourceLimit above the server's maximum.</exception>
    public Task ExtendTtlAsync(TimeSpan ttl, CancellationToken cancellation = default) => ExtendTtlAsync(GoDuration.Format(ttl), cancellation);

    /// <param name="ttl">Duration text such as <c>1h30m</c>.</param>
    /// <param name="cancellation">Gives up.</param>
    /// <inheritdoc cref="ExtendTtlAsync(TimeSpan, CancellationToken)"/>
    public async Task ExtendTtlAsync(string ttl = "30m", CancellationToken cancellation = default) =>
        _info = await _connection.CallAsync(
            Post("/extend") with { Content = ApiCall.Json(new ExtendRequest { Ttl = ttl }, RestJson.Default.ExtendRequest) },
            RestJson.Default.SandboxInfo,
            cancellation).ConfigureAwait(false);

    /// <summary>Ends it with everything in it. Destroying twice is not an error.</summary>
    public async Task DestroyAsync(CancellationToken cancellation = default)
    {
        await _connection.CallAsync(new ApiCall(HttpMethod.Delete, _path) { SandboxId = Id, Unhurried = true }, cancellation).ConfigureAwait(false);
        if (_info is { } info)
            _info = info with { State = SandboxStates.Destroyed };
    }

    /// <summary>The last lines of its console, oldest first.</summary>
    public async Task<IReadOnlyList<string>> LogsAsync(int lines = 100, CancellationToken cancellation = default) =>
        await _connection.GetAsync($"{_path}/logs?lines={lines}", RestJson.Default.ListString, Id, cancellation).ConfigureAwait(false);

    /// <summary>What it uses now; <see cref="SandboxStats.Supported"/> says whether its level can tell.</summary>
    public Task<SandboxStats> StatsAsync(CancellationToken cancellation = default) =>
        _connection.GetAsync(_path + "/stats", RestJson.Default.SandboxStats, Id, cancellation);

    /// <summary>Destroys the sandbox. A failure is not thrown: its time to live ends it all the same.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await DestroyAsync().ConfigureAwait(false);
        }
        catch (StacyVMException)
        {
            // Throwing here would hide the exception that led here.
        }
    }

    public override string ToString() => $"Sandbox(id=\"{Id}\", state=\"{State}\")";

    private ApiCall Get(string path) => new(HttpMethod.Get, _path + path) { SandboxId = Id };

    private ApiCall Post(string path) => new(HttpMethod.Post, _path + path) { SandboxId = Id };
}
