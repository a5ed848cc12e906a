using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace StacyVM.Tests.Server.Scripted;

/// <summary>A bare HTTP server as it could run in a sandbox: it keeps what it was sent, byte for byte, and answers the same thing each time.</summary>
internal sealed class GuestApplication : IAsyncDisposable
{
    private const string Hello =
        "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nSet-Cookie: session=1; Domain=localhost; Path=/\r\nAlt-Svc: h3=\":443\"\r\n\r\nhello";

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Channel<string> _seen = Channel.CreateUnbounded<string>();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly string _answer;
    private readonly bool _echo;

    private GuestApplication(string answer, bool echo) => (_answer, _echo) = (answer, echo);

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public static Task<GuestApplication> StartAsync(string answer = Hello, bool echo = false)
    {
        var guest = new GuestApplication(answer, echo);
        guest._listener.Start();
        _ = guest.AcceptAsync();
        return Task.FromResult(guest);
    }

    /// <summary>The next request, head and body.</summary>
    public async Task<string> SeenAsync() => await _seen.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

    /// <summary>Completes when a client has closed its connection.</summary>
    public Task ClosedAsync() => _closed.Task.WaitAsync(TimeSpan.FromSeconds(10));

    public ValueTask DisposeAsync()
    {
        _listener.Dispose();
        return ValueTask.CompletedTask;
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await _listener.AcceptTcpClientAsync());
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException or InvalidOperationException)
        {
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        {
            try
            {
                NetworkStream stream = client.GetStream();
                while (await RequestAsync(stream) is { } request)
                {
                    _seen.Writer.TryWrite(request);
                    await stream.WriteAsync(Encoding.Latin1.GetBytes(_answer));
                    if (_echo)
                        await stream.CopyToAsync(stream);
                }
            }
            catch (IOException)
            {
            }
            _closed.TrySetResult();
        }
    }

    private static async Task<string?> RequestAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        byte[] one = new byte[1];
        while (!text.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            if (await stream.ReadAsync(one) == 0)
                return null;
            text.Append((char)one[0]);
        }
        string head = text.ToString();
        string? length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        for (int left = length is null ? 0 : int.Parse(length[15..]); left > 0; left--)
        {
            await stream.ReadExactlyAsync(one);
            text.Append((char)one[0]);
        }
        return text.ToString();
    }
}
