using System.Diagnostics;
using System.Security.Cryptography;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using Xunit;

namespace StacyVM.Tests.Linux;

/// <summary>On the control groups of this machine, whatever version they have.</summary>
public sealed class CgroupTreeTests : IAsyncDisposable
{
    private readonly CgroupTree _tree = CgroupTree.Open("test-" + RandomNumberGenerator.GetHexString(8, lowercase: true), "kind", CgroupMounts.Read(), privileged: true);

    [Fact]
    public async Task Groups_are_made_listed_killed_and_removed()
    {
        Assert.SkipUnless(Libc.GetEffectiveUserId() == 0 && _tree.Any, "no writable control groups");
        _tree.Create("sb-1", new CgroupLimits(64 * 1024 * 1024, 1, 50));
        Assert.Equal(["sb-1"], _tree.List());
        string joins = string.Join("; ", _tree.JoinFiles("sb-1").Select(file => $"echo 0 > {file}"));
        using var bomb = Process.Start("/bin/bash", ["-c", $"{joins}; for i in 1 2 3 4 5; do sleep 1000 & done; echo ready; wait"]);
        while (_tree.Processes("sb-1").Count < 6)
            await Task.Yield();
        if (_tree.Enforces("pids"))
            Assert.InRange(_tree.Usage("sb-1").Processes!.Value, 6, 50);
        await _tree.KillAsync("sb-1", TimeSpan.FromSeconds(5));
        Assert.Empty(_tree.Processes("sb-1"));
        await _tree.RemoveAsync("sb-1");
        await _tree.RemoveAsync("sb-1");
        Assert.Empty(_tree.List());
        _tree.Create("sb-2", new CgroupLimits(64 * 1024 * 1024, 1, 50));
        Assert.Equal(["sb-2"], _tree.List());
        await _tree.RemoveAsync("sb-2");
        await bomb.WaitForExitAsync();
    }

    [Fact]
    public void What_is_not_enforced_is_named()
    {
        var tree = CgroupTree.Open("x", "kind", [], privileged: true);
        Assert.False(tree.Any);
        Assert.Equal(["cpu", "memory", "pids"], tree.Unenforced.Keys.Order());
    }

    public ValueTask DisposeAsync()
    {
        _tree.RemoveIfEmpty();
        return default;
    }
}
