using StacyVM.Engine.Linux;
using StacyVM.Engine.Providers;
using Xunit;

namespace StacyVM.Tests.Providers.Bubblewrap;

/// <summary>Many sandboxes at once. Alone, so that what is open in this process is theirs.</summary>
[Collection(nameof(Alone))]
public sealed class BubblewrapCrowdTests : IAsyncLifetime
{
    private BubblewrapRig _rig = null!;

    public async ValueTask InitializeAsync() => _rig = await BubblewrapRig.OpenAsync();

    public ValueTask DisposeAsync() => _rig?.DisposeAsync() ?? default;

    [Fact]
    public async Task Two_hundred_at_once_come_and_go_without_a_trace()
    {
        await _rig.Provider.ProbeAsync(CancellationToken.None);
        int descriptors = Directory.GetFileSystemEntries("/proc/self/fd").Length;
        await Parallel.ForEachAsync(Enumerable.Range(0, 200), new ParallelOptions { MaxDegreeOfParallelism = 50 }, async (_, _) =>
        {
            ISandbox sandbox = await _rig.CreateAsync();
            Assert.Equal((0, "ok"), await BubblewrapRig.RunAsync(sandbox, "echo ok"));
            await sandbox.DestroyAsync(CancellationToken.None);
        });
        Assert.Empty(await _rig.Provider.ListAsync(CancellationToken.None));
        Assert.Empty(Directory.GetFileSystemEntries(Path.Combine(_rig.Directory, "sandboxes")));
        Assert.Empty(ProcessScan.Arguments(Path.Combine(_rig.Directory, "sandboxes")));
        Assert.InRange(Directory.GetFileSystemEntries("/proc/self/fd").Length, 0, descriptors + 5);
    }
}
