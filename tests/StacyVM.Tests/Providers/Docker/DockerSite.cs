using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Docker;
using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Providers.Docker;

/// <summary>A provider with a data directory of its own, on the throw-away daemon. What it made is gone when it is disposed, or the test fails.</summary>
internal sealed class DockerSite : IAsyncDisposable
{
    private readonly ThrowawayDaemon _daemon;
    private readonly string _directory;

    private readonly DockerOptions _options;

    private DockerSite(ThrowawayDaemon daemon, string directory, DockerOptions options, AgentHost host)
    {
        (_daemon, _directory, _options, Host) = (daemon, directory, options, host);
        Provider = new DockerProvider(host, options, NullLogger.Instance);
    }

    private static string AgentProgram => Path.Combine(SourceTree.Root, "artifacts", "agent", "stacyvm-agent");

    public AgentHost Host { get; private set; }

    public DockerProvider Provider { get; private set; }

    public static async Task<DockerSite> OpenAsync(ThrowawayDaemon daemon, DockerOptions? options = null, bool remote = false, string? address = null)
    {
        daemon.Require();
        Assert.True(File.Exists(AgentProgram), "publish the agent first: make agent");
        string directory = Directory.CreateTempSubdirectory("stacyvm-docker-").FullName;
        AgentHost host = await AgentHost.OpenAsync(directory, () => File.OpenRead(AgentProgram));
        return new DockerSite(daemon, directory, (options ?? new DockerOptions()) with { Socket = address ?? (remote ? daemon.Tcp : daemon.Socket) }, host);
    }

    /// <summary>Lets go of everything as a server that ends, and begins again on the same data directory.</summary>
    public async Task RestartServerAsync()
    {
        Provider.Dispose();
        await Host.DisposeAsync();
        Host = await AgentHost.OpenAsync(_directory, () => File.OpenRead(AgentProgram));
        Provider = new DockerProvider(Host, _options, NullLogger.Instance);
    }

    public static string NewId() => StacyVM.Protocol.SandboxId.New();

    public static SandboxSpec Spec(string image = TestImages.Busybox) => new() { Image = image, MemoryMb = 128, Vcpus = 1, DiskMb = 64 };

    public Task<ISandbox> CreateAsync(string image = TestImages.Busybox) =>
        Provider.CreateAsync(NewId(), Spec(image), null, TestContext.Current.CancellationToken);

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int Code, string Output)> RunAsync(ISandbox sandbox, ExecSpec spec)
    {
        CancellationToken cancellation = TestContext.Current.CancellationToken;
        await using IExecSession session = await sandbox.StartAsync(spec, cancellation);
        using var output = new MemoryStream();
        while (await session.ReadAsync(cancellation) is { } piece)
            output.Write(piece.Data.Span);
        return ((await session.Exit).Code, Encoding.UTF8.GetString(output.ToArray()).TrimEnd());
    }

    public static Task<(int Code, string Output)> RunAsync(ISandbox sandbox, params string[] arguments) =>
        RunAsync(sandbox, new ExecSpec { Arguments = arguments });

    public static async Task<string> ShellAsync(ISandbox sandbox, string script) => (await RunAsync(sandbox, "sh", "-c", script)).Output;

    public async ValueTask DisposeAsync()
    {
        foreach (ListedRuntime runtime in await Provider.ListAsync(CancellationToken.None))
            await Provider.RemoveAsync(runtime.Id, CancellationToken.None);
        string[] left = Directory.GetFileSystemEntries(Path.Combine(_directory, "sandboxes"));
        var volumes = await _daemon.Client.Volumes.ListAsync(CancellationToken.None);
        Provider.Dispose();
        await Host.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
        Assert.Empty(left);
        Assert.Empty(volumes.Volumes ?? []);
    }
}
