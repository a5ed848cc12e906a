using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

public sealed partial class StacyClient
{
    /// <summary>What has been saved of sandboxes, newest first. <see cref="SpawnRequest.Checkpoint"/> starts one from it.</summary>
    public async Task<IReadOnlyList<CheckpointInfo>> CheckpointsAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("checkpoints", RestJson.Default.ListCheckpointInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>One checkpoint, by name or id.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    public Task<CheckpointInfo> CheckpointAsync(string name, CancellationToken cancellation = default) =>
        _connection.GetAsync(CheckpointPath(name), RestJson.Default.CheckpointInfo, null, cancellation);

    /// <summary>Deletes a checkpoint. Sandboxes that were started from it live on.</summary>
    /// <exception cref="NotFoundException">There is none.</exception>
    /// <exception cref="ServerException">Conflict while a sandbox is being started from it.</exception>
    public Task DeleteCheckpointAsync(string name, CancellationToken cancellation = default) =>
        _connection.CallAsync(new ApiCall(HttpMethod.Delete, CheckpointPath(name)) { Unhurried = true }, RestJson.Default.StatusBody, cancellation);

    private static string CheckpointPath(string name) => "checkpoints/" + Uri.EscapeDataString(name);
}
