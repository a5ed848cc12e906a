namespace StacyVM.Engine.Store;

/// <summary>A worker as it is kept.</summary>
/// <param name="Id"><c>local</c> for the server itself.</param>
/// <param name="Hostname">Of its machine.</param>
/// <param name="Status">E.g. <c>online</c>.</param>
/// <param name="Providers">Names of its isolation levels.</param>
/// <param name="Capabilities">What it can do.</param>
/// <param name="Capacity">A JSON object.</param>
/// <param name="LastHeartbeat">UTC.</param>
/// <param name="CreatedAt">UTC; when it first came.</param>
internal sealed record WorkerRow(
    string Id, string Hostname, string Status, IReadOnlyList<string> Providers, IReadOnlyList<string> Capabilities, string Capacity,
    DateTime LastHeartbeat, DateTime CreatedAt);
