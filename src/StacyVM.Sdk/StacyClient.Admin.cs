using StacyVM.Protocol.Rest;
using StacyVM.Sdk.Http;

namespace StacyVM.Sdk;

public sealed partial class StacyClient
{
    /// <summary>
    /// Requests to the admin area and calls that were refused anywhere, newest first. Needs <see cref="StacyClientOptions.AdminApiKey"/>, or the client
    /// key where the server has no admin key.
    /// </summary>
    /// <param name="filter">Which rows; null: the newest 100.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <exception cref="ServerException">Forbidden; InvalidInput for a limit or status below 1.</exception>
    public async Task<IReadOnlyList<AdminAuditRecord>> AuditAsync(AuditFilter? filter = null, CancellationToken cancellation = default) =>
        await _connection.GetAsync("admin/audit" + (filter ?? new AuditFilter()).ToQuery(csv: false), RestJson.Default.ListAdminAuditRecord, null, cancellation)
            .ConfigureAwait(false);

    /// <summary>The same as CSV with a header row, safe to open in a spreadsheet.</summary>
    /// <inheritdoc cref="AuditAsync"/>
    public async Task<string> AuditCsvAsync(AuditFilter? filter = null, CancellationToken cancellation = default)
    {
        var call = new ApiCall(HttpMethod.Get, "admin/audit" + (filter ?? new AuditFilter()).ToQuery(csv: true));
        using HttpResponseMessage response = await _connection.SendAsync(call, cancellation).ConfigureAwait(false);
        try
        {
            return await response.Content.ReadAsStringAsync(cancellation).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            throw _connection.Unreachable(fault);
        }
    }
}
