using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace StacyVM.Tests.Environments;

/// <summary>A real registry on loopback that wants a password.</summary>
internal sealed class LoopbackRegistry : IAsyncDisposable
{
    public const string User = "ada";
    public const string Password = "push-canary-7Qx";

    // bcrypt, the only kind that it takes.
    private const string Hash = "$2b$05$abcdefghijklmnopqrstuuZ3fMFvDKUCAoulJwBEuHnIHpIXMcKvG";

    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-registry-").FullName;
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false });
    private Process? _process;

    public string Host { get; } = $"127.0.0.1:{FreePort()}";

    /// <summary>Starts one, or skips the test, or fails it where everything is required.</summary>
    public static async Task<LoopbackRegistry> StartAsync()
    {
        if (!File.Exists("/usr/bin/docker-registry"))
        {
            const string Missing = "a registry needs the package docker-registry";
            if (Environment.GetEnvironmentVariable("CI") == "true" || !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("STACYVM_REQUIRE_RUNTIMES")))
                Assert.Fail(Missing);
            Assert.Skip(Missing);
        }
        var registry = new LoopbackRegistry();
        await registry.RunAsync();
        return registry;
    }

    private async Task RunAsync()
    {
        File.WriteAllText($"{_directory}/users", $"{User}:{Hash}\n");
        File.WriteAllText($"{_directory}/config.yml", $$$"""
            version: 0.1
            storage: {filesystem: {rootdirectory: "{{{_directory}}}/data"}}
            http: {addr: "{{{Host}}}"}
            auth: {htpasswd: {realm: test, path: "{{{_directory}}}/users"}}
            """);
        _process = Process.Start(new ProcessStartInfo("/usr/bin/docker-registry", ["serve", $"{_directory}/config.yml"]) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, _) => { };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{User}:{Password}")));
        long deadline = Environment.TickCount64 + 60_000;
        while (!await AnswersAsync())
        {
            Assert.True(Environment.TickCount64 < deadline && !_process.HasExited, "the registry does not start");
            await Task.Delay(50);
        }
    }

    /// <summary>The digest of an image that is really there.</summary>
    public async Task<string?> DigestAsync(string repository, string tag)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"http://{Host}/v2/{repository}/manifests/{tag}");
        request.Headers.Accept.ParseAdd("application/vnd.docker.distribution.manifest.v2+json");
        using HttpResponseMessage answer = await _http.SendAsync(request);
        return answer.Headers.TryGetValues("Docker-Content-Digest", out IEnumerable<string>? digest) ? digest.Single() : null;
    }

    private async Task<bool> AnswersAsync()
    {
        try
        {
            using HttpResponseMessage answer = await _http.GetAsync($"http://{Host}/v2/");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }
        _http.Dispose();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
