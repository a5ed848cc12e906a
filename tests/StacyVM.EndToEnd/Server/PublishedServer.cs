using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text.Json;
using Xunit;

namespace StacyVM.EndToEnd.Server;

/// <summary>
/// The published binary, started as a user starts it: its own data directory, a free loopback port, real providers. It can be killed and
/// started again on the same data; disposing it stops it, destroys what is left and asserts that nothing leaked.
/// </summary>
internal sealed class PublishedServer : IAsyncDisposable
{
    private readonly string _binary;
    private readonly List<string> _arguments;
    private readonly Dictionary<string, string> _environment;
    private readonly List<string> _log = [];
    private Process? _process;

    private PublishedServer(string binary, string provider, IEnumerable<string> arguments, Dictionary<string, string> environment, string parent)
    {
        _binary = binary;
        DataDirectory = Path.Combine(parent, "stacyvm-e2e-" + Guid.NewGuid().ToString("N")[..8]);
        Directory.CreateDirectory(DataDirectory);
        File.SetUnixFileMode(DataDirectory, (UnixFileMode)0b111_001_001);
        Port = FreePort();
        _arguments = ["serve", "--port", Port.ToString(), "--data-dir", DataDirectory, "--provider", provider, .. arguments];
        _environment = environment;
        Http = new HttpClient(new SocketsHttpHandler { UseProxy = false, PooledConnectionLifetime = TimeSpan.FromSeconds(5) })
        {
            BaseAddress = new Uri($"http://127.0.0.1:{Port}/api/v1/"),
            Timeout = TimeSpan.FromMinutes(2),
        };
    }

    public static string Binary { get; } = FindBinary();

    public string DataDirectory { get; }

    public int Port { get; }

    public HttpClient Http { get; }

    public Process Process => _process ?? throw new InvalidOperationException("the server is not running");

    public string Log
    {
        get { lock (_log) return string.Join('\n', _log); }
    }

    /// <param name="provider">The default level.</param>
    /// <param name="arguments">Further ones of <c>serve</c>.</param>
    /// <param name="environment">Of the server.</param>
    /// <param name="binary">Null: the one that was published here.</param>
    /// <param name="parent">Where the data directory is made; null: among temporary files.</param>
    public static async Task<PublishedServer> StartAsync(
        string provider = "bubblewrap", IEnumerable<string>? arguments = null, Dictionary<string, string>? environment = null, string? binary = null, string? parent = null)
    {
        var server = new PublishedServer(binary ?? Binary, provider, arguments ?? [], environment ?? [], parent ?? Path.GetTempPath());
        await server.StartAgainAsync();
        return server;
    }

    /// <summary>Starts the binary and waits until it answers; with <paramref name="fault"/> set, the process kills itself at that point.</summary>
    public async Task StartAgainAsync(string? fault = null, bool waitReady = true)
    {
        var start = new ProcessStartInfo(_binary, _arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
            WorkingDirectory = DataDirectory,
        };
        foreach ((string name, string value) in _environment)
            start.Environment[name] = value;
        if (fault is not null)
            start.Environment["STACYVM_FAULT"] = fault;
        _process = Process.Start(start)!;
        _process.OutputDataReceived += Collect;
        _process.ErrorDataReceived += Collect;
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        if (waitReady)
            await AnswersAsync("live");
    }

    /// <summary>Polls until a GET succeeds; the server's own log is in the failure.</summary>
    public async Task AnswersAsync(string path)
    {
        var patience = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                using HttpResponseMessage answer = await Http.GetAsync(path);
                if (answer.IsSuccessStatusCode)
                    return;
            }
            catch (HttpRequestException)
            {
                // Not listening yet.
            }
            Assert.False(Process.HasExited, $"the server ended with {(Process.HasExited ? Process.ExitCode : 0)}:\n{Log}");
            Assert.True(patience.Elapsed < TimeSpan.FromSeconds(30), $"the server did not answer {path} within 30 s:\n{Log}");
            await Task.Delay(10);
        }
    }

    /// <summary>SIGKILL: the server has no chance to clean up.</summary>
    public async Task KillAsync()
    {
        Process.Kill();
        await Process.WaitForExitAsync();
    }

    /// <summary>SIGTERM, as an init system sends it.</summary>
    public async Task StopAsync()
    {
        if (_process is null || _process.HasExited)
            return;
        Assert.Equal(0, Signals.Kill(_process.Id, Signals.Term));
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(15));
        await _process.WaitForExitAsync(bound.Token);
    }

    public async Task<string> SpawnAsync(string body = """{"ttl":"10m"}""")
    {
        JsonElement sandbox = await PostAsync("sandboxes", body);
        Assert.Equal("running", sandbox.GetProperty("state").GetString());
        return sandbox.GetProperty("id").GetString()!;
    }

    public Task<JsonElement> ExecAsync(string id, string command, string? timeout = null) =>
        PostAsync($"sandboxes/{id}/exec", JsonSerializer.Serialize(new Dictionary<string, string?> { ["command"] = command, ["timeout"] = timeout ?? "1m" }));

    public async Task<string> OutputAsync(string id, string command)
    {
        JsonElement result = await ExecAsync(id, command);
        Assert.True(result.GetProperty("exit_code").GetInt32() == 0, result.ToString());
        return result.GetProperty("stdout").GetString()!;
    }

    /// <summary>Posts JSON and expects success.</summary>
    public async Task<JsonElement> PostAsync(string path, string body)
    {
        using HttpResponseMessage answer = await Http.PostAsync(path, new StringContent(body));
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"POST {path}: {(int)answer.StatusCode} {text}\n{Log}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<JsonElement> GetAsync(string path) => await Http.GetFromJsonAsync<JsonElement>(path);

    public async Task<HttpStatusCode> DestroyAsync(string id)
    {
        using HttpResponseMessage answer = await Http.DeleteAsync($"sandboxes/{id}");
        return answer.StatusCode;
    }

    public long ResidentBytes()
    {
        string line = File.ReadLines($"/proc/{Process.Id}/status").First(row => row.StartsWith("VmRSS", StringComparison.Ordinal));
        return long.Parse(line.Split(':', ' ', '\t').First(part => part.Length > 0 && char.IsAsciiDigit(part[0]))) * 1024;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_process is null || _process.HasExited)
                await StartAgainAsync();
            JsonElement sandboxes = await GetAsync("sandboxes");
            await Task.WhenAll(sandboxes.EnumerateArray().Select(sandbox => DestroyAsync(sandbox.GetProperty("id").GetString()!)));
            await Leaks.NoneAsync(this);
            await StopAsync();
            Assert.True(Process.ExitCode == 0, $"after SIGTERM the server ended with {Process.ExitCode}:\n{Log}");
        }
        finally
        {
            // A test that found a leak leaves no server running behind it.
            if (!Process.HasExited)
                await KillAsync();
            Http.Dispose();
            Process.Dispose();
        }
        Directory.Delete(DataDirectory, recursive: true);
    }

    private void Collect(object sender, DataReceivedEventArgs line)
    {
        if (line.Data is null)
            return;
        lock (_log)
            _log.Add(line.Data);
    }

    private static int FreePort()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static string FindBinary()
    {
        if (Environment.GetEnvironmentVariable("STACYVM_BINARY") is { Length: > 0 } named)
            return named;
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string candidate = Path.Combine(folder.FullName, "stacyvm");
            if (File.Exists(candidate) && File.Exists(Path.Combine(folder.FullName, "StacyVM.slnx")))
                return candidate;
        }
        throw new FileNotFoundException("the published binary ./stacyvm is missing: run `make build` first");
    }
}
