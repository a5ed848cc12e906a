using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Bubblewrap;
using StacyVM.Protocol;
using StacyVM.Tests.Architecture;
using Xunit;

namespace StacyVM.Tests.Providers.Bubblewrap;

/// <summary>A bubblewrap provider on a data directory of its own. Disposal removes what a test left, and fails when something cannot be.</summary>
public sealed class BubblewrapRig : IAsyncDisposable
{
    private BubblewrapRig(string directory, AgentHost host, ImageStore images, BubblewrapProvider provider)
    {
        Directory = directory;
        Host = host;
        Images = images;
        Provider = provider;
    }

    public string Directory { get; }

    internal AgentHost Host { get; }

    internal ImageStore Images { get; }

    internal BubblewrapProvider Provider { get; }

    /// <summary>Starts on a new data directory, or on that of a server that is gone.</summary>
    /// <param name="directory">Null: a new one.</param>
    /// <param name="userNamespaces">False: as on a host that refuses them.</param>
    public static async Task<BubblewrapRig> OpenAsync(string? directory = null, bool userNamespaces = true)
    {
        string agent = Path.Combine(SourceTree.Root, "artifacts", "agent", "stacyvm-agent");
        Assert.SkipUnless(File.Exists(agent), "the agent is not published: make build");
        directory ??= System.IO.Directory.CreateTempSubdirectory("stacyvm-bwrap-").FullName;
        AgentHost host = await AgentHost.OpenAsync(directory, () => File.OpenRead(agent));
        ImageStore images = TestStore.Of(host);
        return new BubblewrapRig(
            directory, host, images, new BubblewrapProvider(host, images, new BubblewrapOptions(), NullLoggerFactory.Instance) { UserNamespaces = userNamespaces });
    }

    internal static SandboxSpec Spec(int memoryMb = 256, int pids = 64, int diskMb = 64) =>
        new() { Image = "host", MemoryMb = memoryMb, Vcpus = 1, DiskMb = diskMb, PidsLimit = pids };

    internal Task<ISandbox> CreateAsync(SandboxSpec? spec = null) => Provider.CreateAsync(SandboxId.New(), spec ?? Spec(), null, CancellationToken.None);

    /// <summary>Runs a shell command; its output and errors together, trimmed.</summary>
    internal static async Task<(int Code, string Output)> RunAsync(ISandbox sandbox, string command, TimeSpan? timeout = null)
    {
        await using IExecSession session = await sandbox.StartAsync(
            new ExecSpec { Arguments = ["/bin/sh", "-c", command], Timeout = timeout ?? TimeSpan.FromSeconds(30) }, CancellationToken.None);
        var output = new MemoryStream();
        while (await session.ReadAsync(CancellationToken.None) is { } piece)
            output.Write(piece.Data.Span);
        ExecExit exit = await session.Exit;
        return (exit.Code, Encoding.UTF8.GetString(output.ToArray()).Trim());
    }

    /// <summary>Ends the server and leaves its sandboxes; gives the directory to the next one.</summary>
    public async Task<string> AbandonAsync()
    {
        await Host.DisposeAsync();
        return Directory;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (ListedRuntime left in await Provider.ListAsync(CancellationToken.None))
            await Provider.RemoveAsync(left.Id, CancellationToken.None);
        await Provider.DisposeAsync();
        await Host.DisposeAsync();
        Engine.Linux.TreeRemoval.Remove(Directory);
    }
}
