using StacyVM.Cli.Output;
using StacyVM.Protocol.Problems;
using StacyVM.Sdk;
using Xunit;

namespace StacyVM.Tests.Cli;

public sealed class OutputTests
{
    [Fact]
    public void Columns_are_aligned_with_two_blanks_between_them()
    {
        var table = new TextTable("ID", "STATE");
        table.Add("sb-1", "running");
        table.Add("sb-12345", "error");
        Assert.Equal("ID        STATE\nsb-1      running\nsb-12345  error\n", table.ToString());
    }

    [Fact]
    public void Control_characters_from_a_sandbox_do_not_reach_the_terminal()
    {
        var table = new TextTable("NAME");
        table.Add("a\u001b[2Jb\n");
        Assert.Equal("NAME\na?[2Jb?\n", table.ToString());
    }

    [Fact]
    public void A_server_that_is_not_there_is_answered_with_how_to_start_one() =>
        Assert.Contains("stacyvm serve", ErrorBlock.Remedy(new ConnectionException("refused"), ProblemKind.Unavailable));

    [Theory]
    [InlineData(0, "0 B")]
    [InlineData(1023, "1023 B")]
    [InlineData(1536, "1.5 KiB")]
    [InlineData(3L * 1024 * 1024 * 1024, "3.00 GiB")]
    public void Sizes_are_short(long bytes, string text) => Assert.Equal(text, Printer.Size(bytes));
}
