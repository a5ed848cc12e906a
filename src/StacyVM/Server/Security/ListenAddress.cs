using System.Net;

namespace StacyVM.Server.Security;

/// <summary>The configured listen address.</summary>
internal static class ListenAddress
{
    /// <summary>True when only this machine can reach it.</summary>
    public static bool IsLoopback(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) || (IPAddress.TryParse(host, out IPAddress? address) && IPAddress.IsLoopback(address));
}
