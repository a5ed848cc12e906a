using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Images;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Providers;
using StacyVM.Engine.Providers.Gvisor;
using StacyVM.Protocol;
using StacyVM.Tests.Conformance;
using Xunit;

namespace StacyVM.Tests.Providers.Gvisor;

/// <summary>A gVisor provider on a data directory of its own. Disposal removes what a test left, and fails when something cannot be.</summary>
public sealed class GvisorRig : IAsyncDisposable
{
    private GvisorRig(string directory, AgentHost host, ImageStore images, GvisorProvider provider)
    {
        Directory = directory;
        Host = host;
        Images = images;
        Provider = provider;
    }

    /// <summary>Why the level cannot be tried here, or null.</summary>
    public static string? Missing { get; } = Environment.UserName != "root" ? "gVisor needs root"
        : File.Exists("/usr/bin/runsc") || File.Exists("/usr/local/bin/runsc") ? null
        : "runsc is not installed: apt-get install runsc";

    public string Directory { get; }

    internal AgentHost Host { get; }

    internal ImageStore Images { get; }

    internal GvisorProvider Provider { get; }

    /// <summary>Starts on a new data directory, or on that of a server that is gone.</summary>
    internal static async Task<GvisorRig> OpenAsync(string? directory = null, GvisorOptions? options = null)
    {
        if (Missing is not null)
        {
            Assert.SkipWhen(Environment.GetEnvironmentVariable("STACYVM_REQUIRE_RUNTIMES") is null or "", Missing);
            Assert.Fail(Missing);
        }
        directory ??= System.IO.Directory.CreateTempSubdirectory("stacyvm-gvisor-").FullName;
        AgentHost host = await AgentHost.OpenAsync(directory, PublishedAgent.Open);
        ImageStore images = TestStore.Of(host);
        TestStore.AddBusybox(images);
        return new GvisorRig(directory, host, images, new GvisorProvider(host, images, options ?? new GvisorOptions(), NullLoggerFactory.Instance));
    }

    internal static SandboxSpec Spec(string image = TestStore.Busybox) => new() { Image = image, MemoryMb = 128, Vcpus = 1, DiskMb = 64, PidsLimit = 64 };

    internal Task<ISandbox> CreateAsync(SandboxSpec? spec = null) => Provider.CreateAsync(SandboxId.New(), spec ?? Spec(), null, TestContext.Current.CancellationToken);

    /// <summary>Runs a shell command; its output and errors together, trimmed.</summary>
    internal static async Task<(int Code, string Output)> RunAsync(ISandbox sandbox, string command)
    {
        await using IExecSession session = await sandbox.StartAsync(new ExecSpec { Arguments = ["/bin/sh", "-c", command] }, TestContext.Current.CancellationToken);
        var output = new MemoryStream();
        while (await session.ReadAsync(TestContext.Current.CancellationToken) is { } piece)
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
        IReadOnlyList<string> remains = await Remains.WaitUntilNoneAsync(Directory, [Host.InstallationId], () => Task.FromResult<IReadOnlyList<string>>([]));
        TreeRemoval.Remove(Directory);
        Assert.Empty(remains);
    }
}
