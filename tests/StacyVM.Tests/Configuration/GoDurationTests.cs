using StacyVM.Protocol;
using Xunit;

namespace StacyVM.Tests.Configuration;

public sealed class GoDurationTests
{
    [Theory]
    [InlineData("1ns", 1)]
    [InlineData("-1ns", -1)]
    [InlineData("99ns", 1)]
    [InlineData("250ns", 2)]
    [InlineData("0ns", 0)]
    [InlineData("1us", 10)]
    public void What_is_shorter_than_the_clock_resolves_does_not_become_none(string text, long ticks)
    {
        Assert.True(GoDuration.TryParse(text, out TimeSpan value));
        Assert.Equal(ticks, value.Ticks);
    }
}
