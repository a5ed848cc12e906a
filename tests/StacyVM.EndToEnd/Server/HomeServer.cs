using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>A server as a user starts it who has set it up: everything comes from the home directory. Its end leaves sandboxes alive.</summary>
internal sealed class HomeServer : IAsyncDisposable
{
    private readonly Process _process;
    private readonly string _binary;
    private readonly Dictionary<string, string> _environment;
    private readonly int _port;

    private HomeServer(Process process, string binary, Dictionary<string, string> environment, int port) =>
        (_process, _binary, _environment, _port) = (process, binary, environment, port);

    public static async Task<HomeServer> StartAsync(string binary, Dictionary<string, string> environment)
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        int port = ((IPEndPoint)probe.LocalEndpoint).Port;
        probe.Stop();
        var start = new ProcessStartInfo(binary, ["serve", "--port", port.ToString()]) { WorkingDirectory = Path.GetDirectoryName(binary) };
        foreach ((string name, string value) in environment)
            start.Environment[name] = value;
        var server = new HomeServer(Process.Start(start)!, binary, environment, port);
        var patience = Stopwatch.StartNew();
        while ((await server.RunAsync("list")).Code != 0)
        {
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(30), "the server did not answer within 30 s");
            await Task.Delay(20);
        }
        return server;
    }

    public async Task SpawnAsync()
    {
        StacyCli.Outcome spawned = await RunAsync("spawn", "--ttl", "10m");
        Assert.True(spawned.Code == 0, spawned.Error);
    }

    public async ValueTask DisposeAsync()
    {
        Signals.Kill(_process.Id, Signals.Term);
        await _process.WaitForExitAsync();
        _process.Dispose();
    }

    private Task<StacyCli.Outcome> RunAsync(params string[] arguments) =>
        StacyCli.RunAsync(["--server", $"http://127.0.0.1:{_port}", .. arguments], _environment, binary: _binary);
}
