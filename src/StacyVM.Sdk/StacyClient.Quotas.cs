using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

public sealed partial class StacyClient
{
    /// <summary>Whether a spawn would be let in now, and if not, why. It takes nothing and promises nothing.</summary>
    /// <param name="request">What would be spawned; everything left out is the server's default.</param>
    /// <param name="placement">Also say where it would run.</param>
    /// <param name="cancellation">Abandons the call.</param>
    /// <exception cref="ServerException">InvalidInput for what a spawn would refuse, too; as <see cref="NotFoundException"/> for an unknown provider.</exception>
    public Task<SpawnAdmissionDecision> AdmissionAsync(SpawnRequest? request = null, bool placement = false, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Post, placement ? "sandboxes/admission?include=placement" : "sandboxes/admission")
        {
            Content = ApiCall.Json(request ?? new SpawnRequest(), RestJson.Default.SpawnRequest),
        };
        return _connection.CallAsync(call, RestJson.Default.SpawnAdmissionDecision, cancellation);
    }

    /// <summary>How many owners have a quota.</summary>
    public Task<QuotaSummary> QuotaSummaryAsync(CancellationToken cancellation = default) =>
        _connection.GetAsync("quotas/summary", RestJson.Default.QuotaSummary, null, cancellation);

    /// <summary>All quotas, by owner. For administrators.</summary>
    public async Task<IReadOnlyList<QuotaInfo>> QuotasAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync("quotas", RestJson.Default.ListQuotaInfo, null, cancellation).ConfigureAwait(false);

    /// <summary>The quota of an owner. For administrators, and for the owner itself (<see cref="StacyClientOptions.UserId"/>).</summary>
    /// <exception cref="NotFoundException">The owner has none: the defaults hold.</exception>
    public Task<QuotaInfo> QuotaAsync(string owner, CancellationToken cancellation = default) =>
        _connection.GetAsync(QuotaPath(owner), RestJson.Default.QuotaInfo, null, cancellation);

    /// <summary>What an owner uses, and the limits that hold for it, with or without a quota. For administrators, and for the owner itself.</summary>
    public Task<QuotaUsage> QuotaUsageAsync(string owner, CancellationToken cancellation = default) =>
        _connection.GetAsync(QuotaPath(owner) + "/usage", RestJson.Default.QuotaUsage, null, cancellation);

    /// <summary>Makes or replaces the quota of an owner, as a whole: what the request leaves out is inherited. For administrators.</summary>
    /// <exception cref="ServerException">InvalidInput.</exception>
    public Task<QuotaInfo> SaveQuotaAsync(string owner, QuotaRequest request, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Put, QuotaPath(owner)) { Content = ApiCall.Json(request, RestJson.Default.QuotaRequest) };
        return _connection.CallAsync(call, RestJson.Default.QuotaInfo, cancellation);
    }

    /// <summary>Removes the quota of an owner: the defaults hold again. For administrators.</summary>
    /// <exception cref="NotFoundException">The owner has none.</exception>
    public Task DeleteQuotaAsync(string owner, CancellationToken cancellation = default) =>
        _connection.CallAsync(new ApiCall(HttpMethod.Delete, QuotaPath(owner)), cancellation);

    private static string QuotaPath(string owner) => "quotas/" + Uri.EscapeDataString(owner);
}
