using StacyVM.Engine.Linux;
using Xunit;

namespace StacyVM.Tests.Linux;

public sealed class TreeRemovalTests : IDisposable
{
    private readonly string _parent = Directory.CreateTempSubdirectory("stacyvm-removal-").FullName;

    [Fact]
    public void A_missing_directory_is_no_error() => TreeRemoval.Remove(Path.Combine(_parent, "missing"));

    [Fact]
    public void Links_are_removed_and_never_followed()
    {
        string canary = Path.Combine(_parent, "canary");
        Directory.CreateDirectory(canary);
        File.WriteAllText(Path.Combine(canary, "file"), "here");
        string top = Path.Combine(_parent, "top");
        Directory.CreateDirectory(Path.Combine(top, "inner"));
        File.CreateSymbolicLink(Path.Combine(top, "link"), canary);
        File.CreateSymbolicLink(Path.Combine(top, "inner", "link"), canary);
        TreeRemoval.Remove(top);
        Assert.False(Directory.Exists(top));
        Assert.Equal("here", File.ReadAllText(Path.Combine(canary, "file")));
    }

    [Fact]
    public void A_link_in_place_of_the_directory_loses_only_itself()
    {
        string canary = Path.Combine(_parent, "canary");
        Directory.CreateDirectory(canary);
        string top = Path.Combine(_parent, "top");
        File.CreateSymbolicLink(top, canary);
        TreeRemoval.Remove(top);
        Assert.False(File.Exists(top) || Directory.Exists(top));
        Assert.True(Directory.Exists(canary));
    }

    [Fact]
    public void A_very_deep_and_wide_tree_goes()
    {
        string top = Path.Combine(_parent, "top");
        Directory.CreateDirectory(top);
        // Deeper than any path may be long: made from within, as a hostile guest would.
        string build = "cd " + top + "; i=0; while [ $i -lt 600 ]; do mkdir dddddddd side.$i; : > f; cd dddddddd || exit 1; i=$((i+1)); done";
        using (var shell = System.Diagnostics.Process.Start("/bin/bash", ["-c", build]))
            shell.WaitForExit();
        for (int i = 0; i < 2000; i++)
            File.WriteAllText(Path.Combine(top, $"file-{i}"), "");
        TreeRemoval.Remove(top);
        Assert.False(Directory.Exists(top));
    }

    [Fact]
    public void Odd_modes_odd_names_and_chosen_names_do_not_stop_it()
    {
        string top = Path.Combine(_parent, "top");
        Directory.CreateDirectory(Path.Combine(top, "closed", "inner", "more"));
        Directory.CreateDirectory(Path.Combine(top, ".removed-1", "full"));
        File.WriteAllText(Path.Combine(top, ".removed-2"), "");
        File.WriteAllText(Path.Combine(top, "closed", "inner", "line\nbreak"), "");
        File.SetUnixFileMode(Path.Combine(top, "closed", "inner"), UnixFileMode.None);
        File.SetUnixFileMode(Path.Combine(top, "closed"), UnixFileMode.None);
        TreeRemoval.Remove(top);
        Assert.False(Directory.Exists(top));
    }

    public void Dispose() => Directory.Delete(_parent, recursive: true);
}
