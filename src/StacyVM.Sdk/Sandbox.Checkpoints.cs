using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

public sealed partial class Sandbox
{
    /// <summary>Saves it under a name. It stands still meanwhile and runs on afterwards.</summary>
    /// <param name="name">Unique among those of its owner.</param>
    /// <param name="cancellation">Abandons it; nothing stays behind.</param>
    /// <exception cref="ServerException">Conflict for a name that is taken or a sandbox that is paused; Unsupported when its level has no checkpoints; StorageFull.</exception>
    public Task<CheckpointInfo> CheckpointAsync(string name, CancellationToken cancellation = default) => _connection.CallAsync(
        Post("/checkpoints") with { Content = ApiCall.Json(new CheckpointRequest { Name = name }, RestJson.Default.CheckpointRequest), Unhurried = true },
        RestJson.Default.CheckpointInfo,
        cancellation);

    /// <summary>Copies it. Each copy is a sandbox of its own, with an id, host name and entropy of its own.</summary>
    /// <param name="count">1 to 100.</param>
    /// <param name="ttl">Life of each, such as <c>30m</c>; null: the server's default.</param>
    /// <param name="metadata">Noted on each, over what is noted on this one.</param>
    /// <param name="cancellation">Abandons it; nothing stays behind.</param>
    /// <exception cref="ServerException">When no copy came: what kept the first one.</exception>
    public async Task<SandboxFork> ForkAsync(
        int count = 1, string? ttl = null, IReadOnlyDictionary<string, string>? metadata = null, CancellationToken cancellation = default)
    {
        var request = new ForkRequest { Count = count, Ttl = ttl, Metadata = metadata is null ? null : new Dictionary<string, string>(metadata) };
        ForkResult result = await _connection.CallAsync(
            Post("/fork") with { Content = ApiCall.Json(request, RestJson.Default.ForkRequest), Unhurried = true }, RestJson.Default.ForkResult, cancellation).ConfigureAwait(false);
        return new SandboxFork([.. result.Sandboxes.Select(info => new Sandbox(_connection, info))], result.Failures ?? []);
    }

    /// <summary>Lets it stand still: its processes get no time until <see cref="ResumeAsync"/>. Its time to live runs on. Pausing twice is not an error.</summary>
    /// <exception cref="ServerException">Unsupported when its level cannot.</exception>
    public async Task PauseAsync(CancellationToken cancellation = default) =>
        _info = await _connection.CallAsync(Post("/pause"), RestJson.Default.SandboxInfo, cancellation).ConfigureAwait(false);

    /// <summary>Lets it run again. Resuming one that runs is not an error.</summary>
    public async Task ResumeAsync(CancellationToken cancellation = default) =>
        _info = await _connection.CallAsync(Post("/resume"), RestJson.Default.SandboxInfo, cancellation).ConfigureAwait(false);
}

/// <param name="Sandboxes">Those that came.</param>
/// <param name="Failures">Why others did not come; empty when all did. Nothing stays of them.</param>
public sealed record SandboxFork(IReadOnlyList<Sandbox> Sandboxes, IReadOnlyList<ForkFailure> Failures);
