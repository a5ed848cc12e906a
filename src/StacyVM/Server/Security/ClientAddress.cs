using System.Net;
using System.Net.Sockets;

namespace StacyVM.Server.Security;

/// <summary>Where a request comes from.</summary>
/// <param name="Address">Of the client; behind a trusted proxy, the one that the proxy reports.</param>
/// <param name="ByTrustedProxy">A proxy of <c>server.trusted_proxies</c> brought it.</param>
internal sealed record ClientAddress(IPAddress Address, bool ByTrustedProxy)
{
    private const int NetworkBytes = 8;

    private static readonly ClientAddress None = new(IPAddress.None, ByTrustedProxy: false);

    /// <summary>What is counted as one client: an address; of IPv6 the /64, of which every host has all addresses.</summary>
    public IPAddress Network { get; } = Address.AddressFamily == AddressFamily.InterNetworkV6 ? NetworkOf(Address) : Address;

    public override string ToString() => Address.ToString();

    public static ClientAddress Of(HttpContext context) => context.Features.Get<ClientAddress>() ?? None;

    private static IPAddress NetworkOf(IPAddress address)
    {
        byte[] bytes = address.GetAddressBytes();
        Array.Clear(bytes, NetworkBytes, bytes.Length - NetworkBytes);
        return new IPAddress(bytes);
    }
}
