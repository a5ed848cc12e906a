using StacyVM.Engine.Providers;
using Xunit;

namespace StacyVM.Tests.Providers;

public sealed class HostImageTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("stacyvm-etc-").FullName;

    [Fact]
    public void No_secret_of_the_host_is_taken_over()
    {
        string etc = HostImage.MakeEtc(_directory, ownUsers: false);
        foreach (string name in new[] { "shadow", "gshadow", "sudoers", "ssh", "ssl/private", "machine-id", "environment" })
            Assert.False(Path.Exists(Path.Combine(etc, name)), name);
        string[] users = [.. File.ReadAllLines(Path.Combine(etc, "passwd")).Select(line => line.Split(':')[0])];
        Assert.Equal(["root", "sandbox", "nobody"], users);
        Assert.Equal("", File.ReadAllText(Path.Combine(etc, "resolv.conf")));
    }

    [Fact]
    public void The_same_content_has_the_same_place_and_nothing_else_is_left()
    {
        string etc = HostImage.MakeEtc(_directory, ownUsers: false);
        Assert.Equal(etc, HostImage.MakeEtc(_directory, ownUsers: false));
        Assert.Equal([etc], Directory.GetFileSystemEntries(_directory));
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);
}
