using System.Net;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;
using StacyVM.Server.Json;

namespace StacyVM.Server.Security;

/// <summary>
/// Answers only under names that are ours. A web page can point a name of its own at our address (DNS rebinding) and would then be of the
/// same origin as we are; what it cannot do is make the browser send another name in <c>Host</c>.
/// </summary>
internal sealed class HostGuard
{
    private readonly HashSet<string> _names = new(StringComparer.OrdinalIgnoreCase) { "localhost" };
    private readonly bool _anyAddress;

    public HostGuard(ServerOptions options)
    {
        _names.Add(Normalize(options.Host));
        _names.Add(Normalize(HostString.FromUriComponent(options.PreviewDomain).Host));
        foreach (string name in options.AllowedHosts)
            _names.Add(Normalize(name));
        // Beyond loopback, numeric addresses are harmless: they cannot be rebound. The machine's own name comes with them.
        _anyAddress = !ListenAddress.IsLoopback(options.Host);
        if (_anyAddress)
            _names.Add(Environment.MachineName);
    }

    public Task ApplyAsync(HttpContext context, RequestDelegate next)
    {
        string host = context.Request.Host.Host;
        if (!Allows(host))
        {
            throw new Refusal(
                ProblemKind.MisdirectedRequest, $"this server does not answer under the host name \"{Shorten(host)}\"; add it to server.allowed_hosts");
        }
        return next(context);
    }

    public bool Allows(string host)
    {
        string name = Normalize(host);
        if (_names.Contains(name))
            return true;
        return IPAddress.TryParse(name, out IPAddress? address) && (_anyAddress || IPAddress.IsLoopback(address));
    }

    private static string Normalize(string host) => host.TrimEnd('.').TrimStart('[').TrimEnd(']');

    private static string Shorten(string text) => text.Length <= 100 ? text : string.Concat(text.AsSpan(0, 100), "…");
}
