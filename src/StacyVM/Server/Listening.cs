using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Problems;

namespace StacyVM.Server;

/// <summary>Where and under which limits the server listens.</summary>
internal static class Listening
{
    private const int KeepAliveSeconds = 30;

    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for a host that is no address.</exception>
    public static void Configure(KestrelServerOptions kestrel, ServerOptions options)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = options.MaxJsonBytes;
        kestrel.Limits.MaxConcurrentConnections = 20_000;
        kestrel.Limits.MaxRequestBufferSize = 1024 * 1024;
        kestrel.Limits.MaxResponseBufferSize = 1024 * 1024;
        if (options.Host.Equals("localhost", StringComparison.OrdinalIgnoreCase))
        {
            if (options.Port == 0)
                kestrel.Listen(IPAddress.Loopback, 0);
            else
                kestrel.ListenLocalhost(options.Port);
        }
        else if (options.Host is "" or "*")
            kestrel.ListenAnyIP(options.Port);
        else if (IPAddress.TryParse(options.Host, out IPAddress? address))
            kestrel.Listen(address, options.Port);
        else
            throw new StacyVMException(ProblemKind.InvalidInput, $"server.host is \"{options.Host}\"; it takes an IP address, localhost, or * for all addresses");
    }

    /// <summary>
    /// Dead peers are found by the kernel: accepted sockets inherit keep-alive from the listening one. A stream on which nothing is sent would
    /// otherwise wait for ever for a machine that was switched off.
    /// </summary>
    public static void Configure(SocketTransportOptions transport) => transport.CreateBoundListenSocket = static endpoint =>
    {
        Socket socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        if (endpoint is IPEndPoint)
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, KeepAliveSeconds);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, KeepAliveSeconds / 3);
            socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
        }
        return socket;
    };

    /// <summary>What to tell the user when the port cannot be had; null for other failures.</summary>
    public static StacyVMException? Explain(Exception e, ServerOptions options)
    {
        string where = $"{(options.Host.Contains(':') ? $"[{options.Host}]" : options.Host)}:{options.Port}";
        SocketError? error = (e as SocketException ?? e.InnerException as SocketException ?? e.InnerException?.InnerException as SocketException)?.SocketErrorCode;
        return (e.InnerException is AddressInUseException ? SocketError.AddressAlreadyInUse : error) switch
        {
            SocketError.AddressAlreadyInUse => new(
                ProblemKind.Unavailable, $"{where} is in use by another process; stop it or choose another port (--port, server.port)", e),
            SocketError.AccessDenied => new(
                ProblemKind.Unavailable, $"ports below 1024 need privileges and {where} is one; choose another port (--port, server.port)", e),
            SocketError.AddressNotAvailable => new(
                ProblemKind.Unavailable, $"{options.Host} is no address of this machine; choose one that is (--host, server.host)", e),
            _ => null,
        };
    }
}
