using System.Diagnostics;
using StacyVM.Engine.Linux;
using Xunit;

namespace StacyVM.Tests.Linux;

/// <summary>What a hostile directory holds of the disk.</summary>
public sealed class TreeUsageTests : IDisposable
{
    private readonly string _top = Directory.CreateTempSubdirectory("stacyvm-usage-").FullName;

    public void Dispose() => TreeRemoval.Remove(_top);

    [Fact]
    public void Content_in_any_depth_counts_and_names_do_too()
    {
        string deep = Directory.CreateDirectory(Path.Combine(_top, "a", "b", "c")).FullName;
        long empty = Bytes();
        File.WriteAllBytes(Path.Combine(deep, "file"), new byte[1 << 20]);
        Assert.InRange(Bytes() - empty, 1 << 20, (1 << 20) + 64 * 1024);
        for (int i = 0; i < 100; i++)
            File.WriteAllText(Path.Combine(_top, "empty" + i), "");
        Assert.True(Bytes() - empty >= (1 << 20) + 101 * TreeUsage.BytesPerEntry);
    }

    [Fact]
    public void Links_are_not_followed_and_a_file_of_two_names_counts_once()
    {
        string outside = Directory.CreateTempSubdirectory("stacyvm-outside-").FullName;
        File.WriteAllBytes(Path.Combine(outside, "big"), new byte[4 << 20]);
        File.CreateSymbolicLink(Path.Combine(_top, "directory"), outside);
        File.CreateSymbolicLink(Path.Combine(_top, "file"), Path.Combine(outside, "big"));
        File.CreateSymbolicLink(Path.Combine(_top, "root"), "/");
        Assert.InRange(Bytes(), 0, 64 * 1024);
        File.WriteAllBytes(Path.Combine(_top, "one"), new byte[1 << 20]);
        Process.Start("ln", [Path.Combine(_top, "one"), Path.Combine(_top, "two")]).WaitForExit();
        Assert.InRange(Bytes(), 1 << 20, (1 << 20) + 128 * 1024);
        Directory.Delete(outside, recursive: true);
    }

    [Fact]
    public void It_stops_beyond_the_bound_and_says_when_a_tree_has_no_bottom()
    {
        for (int i = 0; i < 8; i++)
            File.WriteAllBytes(Path.Combine(_top, "f" + i), new byte[1 << 20]);
        Assert.InRange(Bytes(2 << 20), (2 << 20) + 1, 4 << 20);
        Process.Start("sh", ["-c", $"cd '{_top}'; for i in $(seq 600); do mkdir d; cd d; done"]).WaitForExit();
        Assert.True(TreeUsage.Measure(_top, long.MaxValue).Hides);
    }

    [Fact]
    public void A_directory_that_is_not_there_is_an_error() =>
        Assert.Throws<IOException>(() => TreeUsage.Measure(Path.Combine(_top, "none"), 1));

    private long Bytes(long most = long.MaxValue) => TreeUsage.Measure(_top, most).Bytes;
}
