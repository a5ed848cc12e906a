using StacyVM.Protocol.Rest;

namespace StacyVM.Sdk;

public sealed partial class Sandbox
{
    /// <summary>TCP ports on which something listens now, with their previews.</summary>
    public async Task<IReadOnlyList<PortInfo>> PortsAsync(CancellationToken cancellation = default) =>
        await _connection.GetAsync(_path + "/ports", RestJson.Default.ListPortInfo, Id, cancellation).ConfigureAwait(false);

    /// <summary>
    /// The URL under which a browser sees what the sandbox serves on a port: <c>http://&lt;port&gt;-&lt;id&gt;.&lt;preview domain&gt;</c>. The domain is
    /// <c>localhost</c> when the server was never asked about this sandbox.
    /// </summary>
    /// <param name="port">Which.</param>
    /// <param name="scheme"><c>http</c> or <c>https</c>; null: that of the server's own address.</param>
    public string GetPreviewUrl(int port, string? scheme = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(port, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(port, 65535);
        string domain = _info?.PreviewDomain is { Length: > 0 } known ? known : "localhost";
        return $"{scheme ?? _connection.Address.Uri.Scheme}://{port}-{Id}.{domain}";
    }

    /// <summary>
    /// A client for what the sandbox serves on a port. It connects to the server's own address and names the preview in each request, so
    /// it works where no DNS knows the preview domain. Relative URIs begin at the port's root. It sends no credentials. The caller disposes it.
    /// </summary>
    public HttpClient CreatePreviewClient(int port) =>
        new(_connection.CreateHandler()) { BaseAddress = new Uri(GetPreviewUrl(port) + "/"), Timeout = Timeout.InfiniteTimeSpan };
}
