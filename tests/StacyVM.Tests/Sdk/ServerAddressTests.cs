using StacyVM.Sdk;
using StacyVM.Sdk.Http;
using Xunit;

namespace StacyVM.Tests.Sdk;

public sealed class ServerAddressTests
{
    [Theory]
    [InlineData("http://localhost:7423", "http://localhost:7423/")]
    [InlineData("http://localhost:7423//", "http://localhost:7423/")]
    [InlineData("localhost:7423", "http://localhost:7423/")]
    [InlineData("https://stacy.example/base", "https://stacy.example/base/")]
    [InlineData("unix:///run/stacyvm.sock", "http://localhost/")]
    public void Addresses_are_read_as_they_are_meant(string text, string uri) =>
        Assert.Equal(uri, ServerAddress.Parse(text).Uri.ToString());

    [Theory]
    [InlineData("ftp://localhost")]
    [InlineData("http://")]
    [InlineData("")]
    public void What_is_no_address_is_refused(string text) => Assert.Throws<ArgumentException>(() => ServerAddress.Parse(text));

    [Fact]
    public void Names_from_a_sandbox_cannot_leave_the_directory()
    {
        foreach (string name in (string[])["..", ".", "", "a/b", "/etc", "a\0b"])
            Assert.False(DirectoryTransfer.IsPlainName(name), name);
        foreach (string name in (string[])["a", "...", ".hidden", "a b", "ä\n"])
            Assert.True(DirectoryTransfer.IsPlainName(name), name);
    }
}
