using System.Net;
using System.Net.Sockets;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Providers;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Conformance;

public abstract partial class ProviderConformance
{
    private const string NoPorts = "ports of this level cannot be reached";

    /// <summary>A program that prints "ready" when it listens and answers every HTTP request with "hello".</summary>
    protected virtual IReadOnlyList<string> WebServer(int port) => ["python3", "-u", "-c", $$"""
        from http.server import BaseHTTPRequestHandler, HTTPServer
        class H(BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200); self.send_header("Content-Length", "5"); self.end_headers(); self.wfile.write(b"hello")
            def log_message(self, *a): pass
        s = HTTPServer(("127.0.0.1", {{port}}), H); print("ready"); s.serve_forever()
        """];

    [Fact]
    public async Task Bytes_pass_through_a_port_both_ways_and_each_way_ends_by_itself()
    {
        Assert.SkipUnless(ForwardsPorts, NoPorts);
        ISandbox sandbox = await CreateAsync();
        var ports = Assert.IsAssignableFrom<IForwardsPorts>(sandbox);
        int port = FreePort();
        await using IExecSession server = await ServeAsync(sandbox, EchoServer(port));
        Assert.Contains(port, await ports.ListPortsAsync(Stop));

        byte[] sent = new byte[4_000_000];
        new Random(7).NextBytes(sent);
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ =>
        {
            await using Stream stream = await ports.ConnectAsync(port, Stop);
            Task writing = Task.Run(async () =>
            {
                await stream.WriteAsync(sent, Stop);
                ((PortStream)stream).CompleteWrites();
            });
            var received = new MemoryStream();
            await stream.CopyToAsync(received, Stop);
            await writing;
            Assert.True(sent.AsSpan().SequenceEqual(received.ToArray()));
        }));
    }

    [Fact]
    public async Task A_web_server_answers_through_its_port()
    {
        Assert.SkipUnless(ForwardsPorts, NoPorts);
        ISandbox sandbox = await CreateAsync();
        int port = FreePort();
        await using IExecSession server = await ServeAsync(sandbox, WebServer(port));
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) => await ((IForwardsPorts)sandbox).ConnectAsync(port, cancellation),
        };
        using var client = new HttpClient(handler);
        for (int i = 0; i < 5; i++)
            Assert.Equal("hello", await client.GetStringAsync($"http://sandbox:{port}/", Stop));
    }

    [Fact]
    public async Task A_port_without_a_listener_is_unavailable()
    {
        Assert.SkipUnless(ForwardsPorts, NoPorts);
        ISandbox sandbox = await CreateAsync();
        var ports = Assert.IsAssignableFrom<IForwardsPorts>(sandbox);
        await FailsAsync(ProblemKind.Unavailable, () => ports.ConnectAsync(FreePort(), Stop));
        await FailsAsync(ProblemKind.InvalidInput, () => ports.ConnectAsync(0, Stop));
        await FailsAsync(ProblemKind.InvalidInput, () => ports.ConnectAsync(65536, Stop));
    }

    private async Task<IExecSession> ServeAsync(ISandbox sandbox, IReadOnlyList<string> program)
    {
        IExecSession server = await sandbox.StartAsync(new ExecSpec { Arguments = program }, Stop);
        await server.ReadUntilAsync("ready", Stop);
        return server;
    }

    /// <summary>Free on the host as well, for the level that has no network of its own.</summary>
    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
