using System.IO.Pipelines;
using StacyVM.Engine.Agents;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agents;

/// <summary>On a line that outlives connections, the answer stands behind what the last one left.</summary>
public sealed class WelcomeSearchTests
{
    private static readonly byte[] Nonce = [.. Enumerable.Range(1, AgentProtocol.NonceLength).Select(i => (byte)i)];

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(11)]
    [InlineData(70_000)]
    [InlineData(300_000)]
    public async Task The_answer_is_found_behind_whatever_was_left(int stale)
    {
        byte[] left = new byte[stale];
        new Random(stale).NextBytes(left);
        byte[] answer = Answer(Nonce);
        byte[] found = await FindAsync([.. left, .. answer]);
        Assert.Equal(answer[FrameHeader.Size..], found);
    }

    [Fact]
    public async Task Answers_to_others_and_a_nonce_that_only_looks_like_one_are_passed_over()
    {
        byte[] other = [.. Nonce.Reverse()];
        byte[] answer = Answer(Nonce);
        Assert.Equal(answer[FrameHeader.Size..], await FindAsync([.. Answer(other), .. Nonce, .. Answer(other)[..30], .. answer]));
    }

    [Fact]
    public async Task A_line_that_ends_before_the_answer_says_so() =>
        await Assert.ThrowsAsync<EndOfStreamException>(() => FindAsync(Answer(Nonce)[..^1]));

    private static byte[] Answer(byte[] nonce)
    {
        var writer = new RecordWriter();
        new WelcomeMessage(AgentProtocol.Version, nonce, "token", 1, 2).Write(writer);
        byte[] frame = new byte[FrameHeader.Size + writer.Length];
        new FrameHeader(writer.Length, 0, FrameType.Welcome, DataStream.Input).Write(frame);
        writer.Written.CopyTo(frame.AsSpan(FrameHeader.Size));
        return frame;
    }

    /// <summary>In pieces of odd sizes, as lines deliver.</summary>
    private static async Task<byte[]> FindAsync(byte[] bytes)
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        for (int at = 0, piece = 1; at < bytes.Length; at += piece, piece = (piece * 7 % 4099) + 1)
            await pipe.Writer.WriteAsync(bytes.AsMemory(at, Math.Min(piece, bytes.Length - at)), CancellationToken.None);
        await pipe.Writer.CompleteAsync();
        return await WelcomeSearch.FindAsync(pipe.Reader.AsStream(), Nonce, 1024, CancellationToken.None);
    }
}
