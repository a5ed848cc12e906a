using System.Net;
using System.Net.Sockets;

namespace StacyVM.Sdk.Http;

/// <summary>Where the server listens, and how to connect to it whatever host name a request carries.</summary>
internal sealed class ServerAddress
{
    private readonly EndPoint _endPoint;

    private ServerAddress(Uri uri, EndPoint endPoint, string text)
    {
        Uri = uri;
        _endPoint = endPoint;
        Text = text;
    }

    /// <summary>Base of request URIs, ending in a slash.</summary>
    public Uri Uri { get; }

    /// <summary>As the user wrote it, for messages.</summary>
    public string Text { get; }

    /// <exception cref="ArgumentException">It is none of the three forms.</exception>
    public static ServerAddress Parse(string baseUrl)
    {
        string text = baseUrl.Trim().TrimEnd('/');
        const string unix = "unix://";
        if (text.StartsWith(unix, StringComparison.OrdinalIgnoreCase))
            return new ServerAddress(new Uri("http://localhost/"), new UnixDomainSocketEndPoint(text[unix.Length..]), text);
        // "localhost:7423" would parse as a URI of scheme "localhost".
        string full = text.Contains("://", StringComparison.Ordinal) ? text : "http://" + text;
        if (!Uri.TryCreate(full + "/", UriKind.Absolute, out Uri? uri) || uri.Scheme is not ("http" or "https") || text.EndsWith(':'))
            throw new ArgumentException($"'{baseUrl}' is not a server address; write http://host:port, https://host or unix:///path", nameof(baseUrl));
        return new ServerAddress(uri, new DnsEndPoint(uri.IdnHost, uri.Port), text);
    }

    /// <summary>Connects to the server, ignoring the name in the request: previews carry names that no DNS knows.</summary>
    public async ValueTask<Stream> ConnectAsync(CancellationToken cancellation)
    {
        bool unix = _endPoint is UnixDomainSocketEndPoint;
        var socket = unix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            if (!unix)
                KeepAlive(socket);
            await socket.ConnectAsync(_endPoint, cancellation).ConfigureAwait(false);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    // A command may be silent for hours; only the kernel can tell a silent peer from a dead one.
    private static void KeepAlive(Socket socket)
    {
        socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.KeepAlive, true);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveTime, 30);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveInterval, 10);
        socket.SetSocketOption(SocketOptionLevel.Tcp, SocketOptionName.TcpKeepAliveRetryCount, 3);
    }
}
