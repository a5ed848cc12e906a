using System.Text;
using StacyVM.Engine.Templates;
using Xunit;

namespace StacyVM.Tests.Templates;

public sealed class OutputTailTests
{
    [Fact]
    public void The_end_is_kept_and_the_beginning_is_not()
    {
        string text = Tail([], new string('a', 5_000) + "end\n");

        Assert.Equal(1_001, text.Length);
        Assert.StartsWith("…a", text);
        Assert.EndsWith("aend", text);
    }

    [Fact]
    public void Hidden_values_and_their_lines_are_unreadable()
    {
        Assert.Equal("token *** and ***!", Tail(["s3cret", "s3cret-longer"], "token s3cret and s3cret-longer!"));
        Assert.Equal("line: ***\nline: ***", Tail(["first\nsecond\n"], "line: first\nline: second\n"));
    }

    [Fact]
    public void A_value_that_the_window_or_the_tail_cuts_is_unreadable_too()
    {
        string secret = string.Concat(Enumerable.Range(0, 3_000).Select(i => $"{i:00000}-"));
        string text = Tail([secret], string.Concat(Enumerable.Repeat(secret, 20)) + "end");

        Assert.Equal("…***end", text);
    }

    [Fact]
    public void Nothing_that_acts_on_a_terminal_is_left() => Assert.Equal("a?[31mb\nc", Tail([], "a\u001b[31mb\nc"));

    private static string Tail(string[] hidden, string output)
    {
        var tail = new OutputTail(hidden);
        foreach (byte[] piece in Encoding.UTF8.GetBytes(output).Chunk(777))
            tail.Add(piece);
        return tail.ToString();
    }
}
