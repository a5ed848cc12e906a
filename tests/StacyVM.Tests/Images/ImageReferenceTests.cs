using StacyVM.Engine.Images;
using Xunit;

namespace StacyVM.Tests.Images;

public sealed class ImageReferenceTests
{
    [Theory]
    [InlineData("alpine", "docker.io/library/alpine:latest", "alpine:latest")]
    [InlineData("docker.io/library/alpine:latest", "docker.io/library/alpine:latest", "alpine:latest")]
    [InlineData("docker.io/alpine", "docker.io/library/alpine:latest", "alpine:latest")]
    [InlineData("index.docker.io/library/alpine", "docker.io/library/alpine:latest", "alpine:latest")]
    [InlineData("python:3.12", "docker.io/library/python:3.12", "python:3.12")]
    [InlineData("grafana/grafana", "docker.io/grafana/grafana:latest", "grafana/grafana:latest")]
    [InlineData("ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1", "ghcr.io/a/b/c:v1")]
    [InlineData("localhost/x", "localhost/x:latest", "localhost/x:latest")]
    [InlineData("localhost:5000/x:1", "localhost:5000/x:1", "localhost:5000/x:1")]
    [InlineData("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest")]
    public void Every_spelling_comes_to_one_name(string text, string canonical, string familiar)
    {
        var reference = ImageReference.Parse(text);
        Assert.Equal(canonical, reference.ToString());
        Assert.Equal(familiar, reference.Familiar);
        Assert.Equal(reference, ImageReference.Parse(canonical));
    }

    [Fact]
    public void A_digest_says_what_the_image_is()
    {
        string digest = "sha256:" + new string('a', 64);
        Assert.Equal($"alpine@{digest}", ImageReference.Parse($"alpine@{digest}").Familiar);
        Assert.Equal($"alpine:3@{digest}", ImageReference.Parse($"alpine:3@{digest}").Familiar);
    }

    [Theory]
    [InlineData("")]
    [InlineData("Alpine")]
    [InlineData("a b")]
    [InlineData("../../etc/passwd")]
    [InlineData("a/../b")]
    [InlineData("-x")]
    [InlineData("a:")]
    [InlineData("a:b c")]
    [InlineData("a@sha256:12")]
    [InlineData("a@md5:00000000000000000000000000000000")]
    [InlineData("http://x/y")]
    [InlineData("host.example:99999999/x")]
    [InlineData("exa_mple.com/x")]
    [InlineData("a\n")]
    [InlineData("evil.example@good.example/x")]
    public void What_names_no_image_is_refused(string text) => Assert.Null(ImageReference.TryParse(text.Length == 2 && text[1] == '\n' ? "a\nb" : text));
}
