using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Docker.DotNet;
using Docker.DotNet.Models;
using Xunit;

namespace StacyVM.Tests.Providers.Docker;

/// <summary>
/// A Docker daemon for this test run alone: its own data, its own sockets, no network of the host touched. Where none can run, the tests
/// are skipped with the reason, or fail where the environment asks for Docker.
/// </summary>
public sealed class ThrowawayDaemon : IAsyncLifetime
{
    private static readonly TimeSpan ReadyWithin = TimeSpan.FromSeconds(60);

    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-dockerd-").FullName;
    private Process? _process;
    private string? _missing;

    /// <summary>Its Unix socket, as an option's value.</summary>
    public string Socket => $"unix://{_directory}/docker.sock";

    /// <summary>The same daemon by TCP on loopback: to a client it is a remote one.</summary>
    public string Tcp { get; private set; } = "";

    public DockerClient Client { get; private set; } = null!;

    /// <summary>Skips the calling test, or fails it, when there is no daemon.</summary>
    public void Require()
    {
        if (_missing is null)
            return;
        bool required = !string.IsNullOrEmpty(Environment.GetEnvironmentVariable("STACYVM_REQUIRE_RUNTIMES"))
            || Environment.GetEnvironmentVariable("CI") == "true"
            || (Environment.GetEnvironmentVariable("STACYVM_TEST_REQUIRE") ?? "").Split(',').Contains("docker");
        if (required)
            Assert.Fail("Docker is required here: " + _missing);
        Assert.Skip(_missing);
    }

    public async ValueTask InitializeAsync()
    {
        if (Environment.UserName != "root" || !File.Exists("/usr/sbin/dockerd") && !File.Exists("/usr/bin/dockerd"))
        {
            _missing = "a throw-away dockerd needs root and the docker.io package";
            return;
        }
        int port = FreePort();
        Tcp = $"tcp://127.0.0.1:{port}";
        await StartAsync(port);
        if (_missing is not null)
            return;
        Client = new DockerClientBuilder().WithEndpoint(new Uri(Socket)).Build();
        await TestImages.ImportAllAsync(Client);
    }

    private async Task StartAsync(int port)
    {
        string[] arguments =
        [
            "--data-root", $"{_directory}/data", "--exec-root", $"{_directory}/exec", "--pidfile", $"{_directory}/dockerd.pid",
            "-H", Socket, "-H", Tcp, "--tls=false", "--iptables=false", "--bridge=none",
        ];
        _process = Process.Start(new ProcessStartInfo("dockerd", arguments) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        var ready = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var log = new Queue<string>();
        _process.OutputDataReceived += (_, _) => { };
        _process.ErrorDataReceived += (_, line) =>
        {
            if (line.Data is null)
            {
                ready.TrySetException(new InvalidOperationException("dockerd ended: " + string.Join('\n', log)));
                return;
            }
            log.Enqueue(line.Data);
            if (log.Count > 10)
                log.Dequeue();
            // The sockets are announced in order; the last one is the TCP port.
            if (line.Data.Contains("API listen on 127.0.0.1:", StringComparison.Ordinal))
                ready.TrySetResult();
        };
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        try
        {
            await ready.Task.WaitAsync(ReadyWithin);
        }
        catch (Exception e)
        {
            _missing = "dockerd does not start here: " + e.Message;
        }
    }

    /// <summary>All containers, whoever made them.</summary>
    public async Task<IList<ContainerListResponse>> ContainersAsync() =>
        await Client.Containers.ListContainersAsync(new ContainersListParameters { All = true });

    /// <summary>Ends it and starts it again on the same data.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await StartAsync(new Uri(Tcp).Port);
        Assert.Null(_missing);
    }

    private async Task StopAsync()
    {
        if (_process is null)
            return;
        // By its own number, never by name: TERM lets it end its containers and its containerd.
        using (Process.Start("kill", [_process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)])!)
        {
        }
        await _process.WaitForExitAsync();
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is { HasExited: false } && _missing is null)
        {
            foreach (ContainerListResponse container in await ContainersAsync())
                await Client.Containers.RemoveContainerAsync(container.ID, new ContainerRemoveParameters { Force = true, RemoveVolumes = true });
            Client.Dispose();
        }
        await StopAsync();
        Directory.Delete(_directory, recursive: true);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}

/// <summary>One daemon for all tests that need one; they run after each other.</summary>
[CollectionDefinition(Name)]
public sealed class DockerTests : ICollectionFixture<ThrowawayDaemon>
{
    public const string Name = "docker";
}
