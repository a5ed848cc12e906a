using StacyVM.Cli.Operations;
using Xunit;

namespace StacyVM.Tests.Cli.Operations;

public sealed class TextScrubberTests
{
    private static readonly TextScrubber Scrubber = new(["a known secret/1", "no"]);

    [Theory]
    [InlineData("x a known secret/1 y", "x [REDACTED] y")]
    [InlineData("?q=a%20known%20secret%2F1", "?q=[REDACTED]")]
    [InlineData("tcp://ada:pw@host:1/x", "tcp://[REDACTED]@host:1/x")]
    [InlineData("Authorization: Bearer abc.def", "Authorization: [REDACTED] [REDACTED]")]
    [InlineData("password=hunter2; x", "password=[REDACTED]; x")]
    [InlineData("AUTH_API_KEY: 'two words' end", "AUTH_API_KEY: [REDACTED] end")]
    [InlineData("key sk-abcdef123 end", "key [REDACTED] end")]
    [InlineData("stacyvm_0123456789abcdef0123", "[REDACTED]")]
    public void A_secret_is_taken_out(string text, string wanted) => Assert.Equal(wanted, Scrubber.Scrub(text));

    [Theory]
    [InlineData("no level works here: install bubblewrap 0.8.0 with 'apt-get install bubblewrap'")]
    [InlineData("/var/lib/stacyvm/stacyvm.db is whole: schema 5, 120 KiB")]
    [InlineData("the Docker daemon at unix:///var/run/docker.sock cannot be reached")]
    public void What_helps_stays(string text) => Assert.Equal(text, Scrubber.Scrub(text));
}
