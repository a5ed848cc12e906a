using System.Net;
using Microsoft.Extensions.Primitives;
using StacyVM.Engine.Configuration;

namespace StacyVM.Server.Security;

/// <summary>
/// Finds out where a request comes from. Anybody can send forwarding headers, so they count only from proxies that are listed; and of
/// <c>X-Forwarded-For</c> only what those wrote: it is read from its end, to the first address that is none of theirs.
/// </summary>
internal sealed class TrustedProxies(ServerOptions options)
{
    private const int MaxHops = 32;

    private readonly IPNetwork[] _networks = [.. options.TrustedProxies.Select(Parse)];

    public bool Any => _networks.Length > 0;

    public Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        context.Features.Set(Find(context));
        return next(context);
    }

    private ClientAddress Find(HttpContext context)
    {
        IPAddress peer = Plain(context.Connection.RemoteIpAddress ?? IPAddress.None);
        if (!Trusts(peer))
            return new ClientAddress(peer, ByTrustedProxy: false);
        IHeaderDictionary headers = context.Request.Headers;
        return new ClientAddress(Forwarded(headers["X-Forwarded-For"]) ?? Address(headers["X-Real-IP"].ToString()) ?? peer, ByTrustedProxy: true);
    }

    private IPAddress? Forwarded(StringValues header)
    {
        IPAddress? client = null;
        foreach (string hop in header.SelectMany(value => (value ?? "").Split(',')).Reverse().Take(MaxHops))
        {
            // What stands left of something that is no address was not written by a proxy of ours.
            if (Address(hop) is not { } address)
                break;
            client = address;
            if (!Trusts(address))
                break;
        }
        return client;
    }

    private bool Trusts(IPAddress address) => Array.Exists(_networks, network => network.Contains(address));

    /// <summary>With or without a port.</summary>
    private static IPAddress? Address(string text) => IPEndPoint.TryParse(text.Trim(), out IPEndPoint? endpoint) ? Plain(endpoint.Address) : null;

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static IPNetwork Parse(string text)
    {
        if (IPNetwork.TryParse(text, out IPNetwork network))
            return network;
        IPAddress address = IPAddress.Parse(text);
        return new IPNetwork(address, address.GetAddressBytes().Length * 8);
    }
}
