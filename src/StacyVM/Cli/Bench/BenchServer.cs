using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using StacyVM.Protocol.Problems;
using StacyVM.Protocol.Rest;
using StacyVM.Sdk;

namespace StacyVM.Cli.Bench;

/// <summary>
/// A server of this same binary, with a data directory and a port of its own. Disposing destroys every sandbox in it, stops it and removes
/// its data.
/// </summary>
internal sealed class BenchServer : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(15);

    private readonly BenchDirectory _directory;
    private readonly BenchOptions _options;
    private readonly IReadOnlyDictionary<string, string> _environment;
    private readonly Queue<string> _log = new();
    private Process? _process;

    private BenchServer(BenchDirectory directory, BenchOptions options, IReadOnlyDictionary<string, string> environment)
    {
        _directory = directory;
        _options = options;
        _environment = environment;
        Port = FreePort();
        Client = new StacyClient($"http://127.0.0.1:{Port}");
    }

    public int Port { get; }

    public StacyClient Client { get; }

    public int ProcessId => _process!.Id;

    public string DataDirectory => _directory.Path;

    /// <summary>From the start of the process to its first answer.</summary>
    /// <param name="options">Its level.</param>
    /// <param name="cancellation">Abandons the start.</param>
    /// <param name="environment">Variables that configure it.</param>
    /// <param name="prepare">Fills the data directory before the start.</param>
    public static async Task<(BenchServer Server, TimeSpan Elapsed)> StartAsync(
        BenchOptions options, CancellationToken cancellation, IReadOnlyDictionary<string, string>? environment = null, Func<string, Task>? prepare = null)
    {
        var server = new BenchServer(new BenchDirectory(), options, environment ?? new Dictionary<string, string>());
        try
        {
            if (prepare is not null)
                await prepare(server.DataDirectory);
            return (server, await server.StartProcessAsync(cancellation));
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the process as an init system does, and starts it again on the same data.</summary>
    public async Task<TimeSpan> RestartAsync(CancellationToken cancellation)
    {
        await StopProcessAsync();
        return await StartProcessAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false })
            await DestroyAllAsync();
        await StopProcessAsync();
        Client.Dispose();
        _directory.Dispose();
    }

    private async Task<TimeSpan> StartProcessAsync(CancellationToken cancellation)
    {
        string program = Environment.ProcessPath ?? throw new StacyVMException(ProblemKind.Unsupported, "this program cannot find its own file");
        var start = new ProcessStartInfo(program, ["serve", "--host", "127.0.0.1", "--port", $"{Port}", "--data-dir", _directory.Path, "--provider", _options.Provider ?? "auto"])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = _directory.Path,
        };
        start.Environment["STACYVM_LOGGING_LEVEL"] = "warn";
        // The level is measured on the daemon that it is compared with.
        if (_options.DockerHost is { } daemon)
            start.Environment["STACYVM_PROVIDERS_DOCKER_SOCKET"] = daemon;
        foreach ((string name, string value) in _environment)
            start.Environment[name] = value;
        long began = Stopwatch.GetTimestamp();
        _process = Process.Start(start)!;
        _process.ErrorDataReceived += Remember;
        _process.OutputDataReceived += Remember;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        while (true)
        {
            try
            {
                await Client.HealthAsync(cancellation);
                return Stopwatch.GetElapsedTime(began);
            }
            catch (ConnectionException)
            {
                // Not listening yet.
            }
            if (_process.HasExited || Stopwatch.GetElapsedTime(began) > StartPatience)
                throw new StacyVMException(ProblemKind.Unavailable, $"the server for the measurement did not start:\n{Log()}");
            await Task.Delay(1, cancellation);
        }
    }

    // Sandboxes outlive their server: they must go while there is one that knows them.
    private async Task DestroyAllAsync()
    {
        try
        {
            foreach (SandboxInfo[] some in (await Client.ListAsync()).Chunk(32))
                await Task.WhenAll(some.Select(info => Client.Refer(info.Id).DestroyAsync()));
        }
        catch (StacyVMException fault)
        {
            Console.Error.WriteLine($"some sandboxes of the measurement could not be destroyed ({fault.Message}); their data is in {_directory.Path}");
        }
    }

    private async Task StopProcessAsync()
    {
        if (_process is null)
            return;
        if (!_process.HasExited)
        {
            // Process.Kill is SIGKILL, which leaves a server no time to write what it holds.
            using Process? term = Process.Start(new ProcessStartInfo("kill", ["-TERM", $"{_process.Id}"]));
            using var patience = new CancellationTokenSource(StopPatience);
            try
            {
                await _process.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                _process.Kill();
                await _process.WaitForExitAsync();
            }
        }
        _process.Dispose();
        _process = null;
    }

    private void Remember(object sender, DataReceivedEventArgs line)
    {
        lock (_log)
        {
            if (line.Data is { } text)
                _log.Enqueue(text);
            if (_log.Count > 20)
                _log.Dequeue();
        }
    }

    private string Log()
    {
        lock (_log)
            return string.Join('\n', _log);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
