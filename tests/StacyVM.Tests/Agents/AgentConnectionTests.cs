using System.Buffers.Binary;
using System.Diagnostics;
using System.Security.Cryptography;
using StacyVM.Engine.Agents;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;
using Xunit;

namespace StacyVM.Tests.Agents;

public sealed class AgentConnectionTests : IAsyncLifetime
{
    private const string Token = "secret";
    private static readonly CancellationToken None = CancellationToken.None;

    private FakeAgent _agent = null!;
    private AgentConnection _connection = null!;

    public async ValueTask InitializeAsync()
    {
        (Stream host, _agent) = FakeAgent.Pair();
        Task<AgentConnection> opening = AgentConnection.OpenAsync(host, "sb-1", Token, None);
        HelloMessage hello = await _agent.WelcomeAsync(Token);
        Assert.Equal("sb-1", hello.SandboxId);
        Assert.Equal(AgentProtocol.NonceLength, hello.Nonce.Length);
        _connection = await opening;
    }

    public ValueTask DisposeAsync()
    {
        _connection.Abort(new IOException("test over"));
        _agent.Dispose();
        return default;
    }

    [Fact]
    public async Task An_operation_is_one_frame_out_and_its_answer_comes_back()
    {
        AgentChannel channel = _connection.Open(AgentRequest.Path(ChannelKind.Stat, "/a"));
        (FrameHeader header, byte[] payload) = await _agent.ReadAsync();
        Assert.Equal(FrameType.Open, header.Type);
        Assert.Equal((byte)ChannelKind.Stat, payload[0]);
        await _agent.CloseAsync(header.Channel, body: [1, 2, 3]);
        Assert.Equal([1, 2, 3], await channel.BodyAsync(None));
        channel.Drop();
        Assert.True(_connection.IsAlive);
    }

    [Fact]
    public async Task A_refusal_carries_its_status()
    {
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        await _agent.CloseAsync(number, AgentStatus.NotFound, "no such file");
        AgentRefusal refusal = await Assert.ThrowsAsync<AgentRefusal>(async () => await channel.ReplyAsync(None));
        Assert.Equal(AgentStatus.NotFound, refusal.Status);
        StacyVMException problem = refusal.ToProblem("sb-1", "/x");
        Assert.Equal(ProblemKind.NotFound, problem.Kind);
        Assert.Contains("sb-1", problem.Message, StringComparison.Ordinal);
        Assert.Contains("/x", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Bytes_arrive_in_order_whatever_the_size_of_frames()
    {
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        byte[] sent = RandomNumberGenerator.GetBytes(3_000_000);
        Task sending = Task.Run(async () =>
        {
            int[] sizes = [1, 7, 4096, 100_000, 262_144, 13, 65_536, 16_384, 16_383, 4084];
            long credit = AgentProtocol.InitialWindow;
            for (int at = 0, i = 0; at < sent.Length; i++)
            {
                int size = Math.Min(sizes[i % sizes.Length], sent.Length - at);
                while (credit < size)
                    credit += BinaryPrimitives.ReadUInt32LittleEndian((await _agent.ReadAsync(FrameType.Credit)).Payload);
                await _agent.SendAsync(FrameType.Data, number, sent.AsMemory(at, size), DataStream.Output);
                credit -= size;
                at += size;
            }
            await _agent.CloseAsync(number);
        });
        var received = new MemoryStream();
        while (await channel.ReadAsync(None) is { } piece)
            received.Write(piece.Data.Span);
        await sending;
        Assert.Equal(sent, received.ToArray());
    }

    [Fact]
    public async Task The_order_between_the_two_output_streams_is_kept()
    {
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        for (int i = 0; i < 1000; i++)
            await _agent.SendAsync(FrameType.Data, number, new byte[] { (byte)i }, i % 2 == 0 ? DataStream.Output : DataStream.Error);
        await _agent.CloseAsync(number);
        int next = 0;
        while (await channel.ReadAsync(None) is { } piece)
        {
            foreach (byte value in piece.Data.ToArray())
            {
                Assert.Equal((byte)next, value);
                Assert.Equal(next % 2 == 0 ? DataStream.Output : DataStream.Error, piece.Stream);
                next++;
            }
        }
        Assert.Equal(1000, next);
    }

    [Fact]
    public async Task A_sender_without_credit_waits_and_one_that_gets_some_goes_on()
    {
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        byte[] data = new byte[AgentProtocol.InitialWindow + 10];
        Task<bool> writing = channel.WriteAsync(data, None).AsTask();
        long received = 0;
        while (received < AgentProtocol.InitialWindow)
            received += (await _agent.ReadAsync(FrameType.Data)).Header.Length;
        Assert.Equal(AgentProtocol.InitialWindow, received);
        Assert.False(writing.IsCompleted);
        byte[] credit = new byte[4];
        BinaryPrimitives.WriteInt32LittleEndian(credit, 10);
        await _agent.SendAsync(FrameType.Credit, number, credit);
        Assert.Equal(10, (await _agent.ReadAsync(FrameType.Data)).Header.Length);
        Assert.True(await writing);
    }

    [Fact]
    public async Task A_channel_that_nobody_reads_does_not_stall_its_neighbour()
    {
        AgentChannel slow = Open(out _);
        uint slowNumber = await OpenedAsync();
        AgentChannel quick = Open(out _);
        uint quickNumber = await OpenedAsync();
        for (int sent = 0; sent < AgentProtocol.InitialWindow; sent += AgentProtocol.MaxPayload)
            await _agent.SendAsync(FrameType.Data, slowNumber, new byte[AgentProtocol.MaxPayload], DataStream.Output);
        await _agent.CloseAsync(quickNumber, body: [9]);
        Assert.Equal([9], await quick.BodyAsync(None).AsTask().WaitAsync(TimeSpan.FromSeconds(5)));
        int read = 0;
        while (read < AgentProtocol.InitialWindow)
            read += (await slow.ReadAsync(None))!.Value.Data.Length;
    }

    [Theory]
    [InlineData("more than the window")]
    [InlineData("length above the bound")]
    [InlineData("unknown type")]
    [InlineData("host's frame")]
    [InlineData("two replies")]
    [InlineData("credit of 3 bytes")]
    [InlineData("closed without fields")]
    [InlineData("data on the host's stream")]
    [InlineData("endless credit")]
    public async Task A_violation_ends_the_connection_and_its_operations(string violation)
    {
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        Task<ClosedMessage> waiting = channel.ClosedAsync(None).AsTask();
        if (violation == "more than the window")
        {
            // Nobody takes anything from this one, so no credit can come.
            AgentChannel unread = Open(out _);
            number = await OpenedAsync();
            for (int i = 0; i < 5; i++)
                await TrySendAsync(FakeAgent.Frame(FrameType.Data, number, new byte[AgentProtocol.MaxPayload], DataStream.Output));
            await Assert.ThrowsAsync<StacyVMException>(async () =>
            {
                await _connection.Ended;
                while (await unread.ReadAsync(None) is not null)
                {
                }
            });
        }
        else
        {
            byte[] frame = violation switch
            {
                "length above the bound" => Header(AgentProtocol.MaxPayload + 1, FrameType.Data),
                "unknown type" => Header(0, (FrameType)77),
                "host's frame" => FakeAgent.Frame(FrameType.Open, number, [1]),
                "two replies" => [.. FakeAgent.Frame(FrameType.Reply, number, []), .. FakeAgent.Frame(FrameType.Reply, number, [])],
                "credit of 3 bytes" => FakeAgent.Frame(FrameType.Credit, number, [1, 2, 3]),
                "closed without fields" => FakeAgent.Frame(FrameType.Closed, number, []),
                "data on the host's stream" => FakeAgent.Frame(FrameType.Data, number, [1], DataStream.Input),
                _ => [.. FakeAgent.Frame(FrameType.Credit, number, [255, 255, 255, 127]), .. FakeAgent.Frame(FrameType.Credit, number, [255, 255, 255, 127])],
            };
            await TrySendAsync(frame);
        }
        await _connection.Ended.WaitAsync(TimeSpan.FromSeconds(5));
        StacyVMException gone = await Assert.ThrowsAsync<StacyVMException>(() => waiting.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(ProblemKind.SandboxGone, gone.Kind);
        Assert.Throws<StacyVMException>(() => Open(out _));
    }

    [Fact]
    public async Task Frames_of_forgotten_channels_are_dropped()
    {
        await _agent.SendAsync(FrameType.Data, 4711, new byte[200_000], DataStream.Output);
        await _agent.CloseAsync(4712);
        AgentChannel channel = Open(out _);
        await _agent.CloseAsync(await OpenedAsync());
        await channel.BodyAsync(None);
        Assert.True(_connection.IsAlive);
    }

    [Fact]
    public async Task The_end_of_the_stream_fails_what_is_under_way()
    {
        AgentChannel channel = Open(out _);
        await OpenedAsync();
        Task<ChannelPiece?> reading = channel.ReadAsync(None).AsTask();
        _agent.Dispose();
        StacyVMException gone = await Assert.ThrowsAsync<StacyVMException>(() => reading.WaitAsync(TimeSpan.FromSeconds(5)));
        Assert.Equal(ProblemKind.SandboxGone, gone.Kind);
    }

    [Fact]
    public async Task Cancelling_a_wait_leaves_the_channel_usable()
    {
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        using var cancellation = new CancellationTokenSource();
        Task<ChannelPiece?> reading = channel.ReadAsync(cancellation.Token).AsTask();
        await cancellation.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        await _agent.SendAsync(FrameType.Data, number, new byte[] { 5 }, DataStream.Output);
        Assert.Equal(5, (await channel.ReadAsync(None))!.Value.Data.Span[0]);
    }

    [Fact]
    public async Task Cancel_waits_for_the_agents_word_and_wakes_the_reader()
    {
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        Task<ChannelPiece?> reading = channel.ReadAsync(None).AsTask();
        Task cancelling = channel.CancelAsync(TimeSpan.FromSeconds(10)).AsTask();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => reading);
        await _agent.ReadAsync(FrameType.Cancel);
        Assert.False(cancelling.IsCompleted);
        await _agent.CloseAsync(number, AgentStatus.Cancelled);
        await cancelling.WaitAsync(TimeSpan.FromSeconds(5));
    }

    [Fact]
    public async Task A_request_larger_than_a_frame_is_the_callers_fault()
    {
        StacyVMException problem = Assert.Throws<StacyVMException>(() => _connection.Open(AgentRequest.Path(ChannelKind.Stat, new string('a', AgentProtocol.MaxPayload))));
        Assert.Equal(ProblemKind.InvalidInput, problem.Kind);
        AgentChannel channel = Open(out _);
        await _agent.CloseAsync(await OpenedAsync());
        await channel.BodyAsync(None);
    }

    [Fact]
    public async Task Many_channels_at_once_keep_their_data_apart()
    {
        const int Count = 200;
        Task agent = Task.Run(async () =>
        {
            for (int i = 0; i < Count; i++)
            {
                (FrameHeader header, byte[] payload) = await _agent.ReadAsync(FrameType.Open);
                await _agent.SendAsync(FrameType.Data, header.Channel, payload.AsMemory(1), DataStream.Output);
                await _agent.CloseAsync(header.Channel);
            }
        });
        await Task.WhenAll(Enumerable.Range(0, Count).Select(i => Task.Run(async () =>
        {
            RecordWriter request = AgentRequest.Path(ChannelKind.Stat, $"/{i}");
            byte[] expected = request.Written[1..].ToArray();
            AgentChannel channel = _connection.Open(request);
            Assert.Equal(expected, (await channel.ReadAsync(None))!.Value.Data.ToArray());
            await channel.BodyAsync(None);
            channel.Drop();
        })));
        await agent;
    }

    [Fact]
    public async Task Pings_are_answered_with_their_payload()
    {
        await _agent.SendAsync(FrameType.Ping, 0, new byte[] { 1, 2, 3 });
        Assert.Equal([1, 2, 3], (await _agent.ReadAsync(FrameType.Pong)).Payload);
    }

    [Fact]
    public async Task Bulk_data_passes_in_both_directions()
    {
        // A bound far below what was measured: it finds a copy too many or a lost wake-up, not a busy machine.
        const int Total = 256 * 1024 * 1024;
        AgentChannel channel = Open(out _);
        uint number = await OpenedAsync();
        byte[] block = new byte[AgentProtocol.MaxPayload];
        byte[] frame = FakeAgent.Frame(FrameType.Data, number, block, DataStream.Output);
        var clock = Stopwatch.StartNew();
        Task sending = Task.Run(async () =>
        {
            long credit = AgentProtocol.InitialWindow;
            for (long sent = 0; sent < Total; sent += block.Length)
            {
                while (credit < block.Length)
                    credit += BinaryPrimitives.ReadUInt32LittleEndian((await _agent.ReadAsync(FrameType.Credit)).Payload);
                await _agent.Stream.WriteAsync(frame);
                credit -= block.Length;
            }
            await _agent.CloseAsync(number);
        });
        long received = 0;
        while (await channel.ReadAsync(None) is { } piece)
            received += piece.Data.Length;
        await sending;
        double rate = Total / 1e6 / clock.Elapsed.TotalSeconds;
        TestContext.Current.SendDiagnosticMessage($"received {rate:0} MB/s");
        Assert.Equal(Total, received);
        Assert.True(rate > 200, $"{rate:0} MB/s");
    }

    private AgentChannel Open(out RecordWriter request)
    {
        request = AgentRequest.Path(ChannelKind.Stat, "/a");
        return _connection.Open(request);
    }

    private async Task<uint> OpenedAsync() => (await _agent.ReadAsync(FrameType.Open)).Header.Channel;

    private async Task TrySendAsync(byte[] bytes)
    {
        try
        {
            await _agent.Stream.WriteAsync(bytes);
        }
        catch (IOException)
        {
            // The host has hung up already.
        }
    }

    private static byte[] Header(int length, FrameType type)
    {
        byte[] header = new byte[FrameHeader.Size];
        new FrameHeader(length, 1, type, DataStream.Input).Write(header);
        return header;
    }
}
