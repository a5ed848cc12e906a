using System.Buffers;
using System.Buffers.Binary;
using System.Collections.Concurrent;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Agents;

/// <summary>
/// The host's half of one connection to an agent: one byte stream, many channels. A violation of the protocol or the end of the stream ends the
/// connection and fails its channels with <see cref="ProblemKind.SandboxGone"/>, and nothing else.
/// </summary>
internal sealed class AgentConnection
{
    private readonly Stream _stream;
    private readonly FrameReceiver _receiver;
    private readonly ConcurrentDictionary<uint, AgentChannel> _channels = new();
    private readonly TaskCompletionSource<Exception> _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private uint _lastChannel;
    private Exception? _failure;

    private AgentConnection(string sandboxId, Stream stream, WelcomeMessage welcome)
    {
        SandboxId = sandboxId;
        AgentPid = welcome.Pid;
        AgentStartedAt = welcome.StartedAt;
        _stream = stream;
        Writer = new FrameWriter(stream, Abort);
        _receiver = new FrameReceiver(stream, this);
    }

    /// <summary>The sandbox that the agent has proved to speak for.</summary>
    public string SandboxId { get; }

    /// <summary>The agent's process id in its own namespace.</summary>
    public uint AgentPid { get; }

    /// <summary>When the agent started, Unix time in microseconds: another value than before means that its processes are gone.</summary>
    public long AgentStartedAt { get; }

    public bool IsAlive => Volatile.Read(ref _failure) is null;

    /// <summary>Completes with the reason when the connection has ended; never faults.</summary>
    public Task<Exception> Ended => _ended.Task;

    internal FrameWriter Writer { get; }

    /// <summary>Shakes hands on a fresh stream and begins to receive. The stream is disposed when that fails.</summary>
    /// <exception cref="IOException">The peer left.</exception>
    /// <exception cref="ProtocolViolationException">The peer is not this sandbox's agent, or speaks another version.</exception>
    public static Task<AgentConnection> OpenAsync(Stream stream, string sandboxId, string token, CancellationToken cancellation) =>
        OpenAsync(stream, sandboxId, token, kept: false, cancellation);

    /// <summary>The same on a line that is never closed at its other end, so that what comes first may belong to an earlier connection.</summary>
    public static Task<AgentConnection> OpenKeptAsync(Stream stream, string sandboxId, string token, CancellationToken cancellation) =>
        OpenAsync(stream, sandboxId, token, kept: true, cancellation);

    private static async Task<AgentConnection> OpenAsync(Stream stream, string sandboxId, string token, bool kept, CancellationToken cancellation)
    {
        try
        {
            WelcomeMessage welcome = await AgentHandshake.RunAsync(stream, sandboxId, token, kept, cancellation).ConfigureAwait(false);
            var connection = new AgentConnection(sandboxId, stream, welcome);
            connection._receiver.Start();
            return connection;
        }
        catch
        {
            await stream.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>Opens a channel. The request is on its way when this returns.</summary>
    /// <param name="request">The kind's byte and its request, see <see cref="AgentRequest"/>.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.InvalidInput"/> for a request larger than a frame; <see cref="ProblemKind.SandboxGone"/>.</exception>
    public AgentChannel Open(RecordWriter request)
    {
        if (request.Length > AgentProtocol.MaxPayload)
            throw new StacyVMException(ProblemKind.InvalidInput, $"sandbox {SandboxId}: the request is {request.Length} bytes long; at most {AgentProtocol.MaxPayload} fit (arguments, environment and paths together)");
        uint number = Interlocked.Increment(ref _lastChannel);
        if (number == uint.MaxValue)
            Abort(new IOException("channel numbers are used up"));
        var channel = new AgentChannel(this, number);
        _channels[number] = channel;
        if (Volatile.Read(ref _failure) is { } failure)
        {
            _channels.TryRemove(number, out _);
            throw Gone(failure);
        }
        Writer.Post(FrameType.Open, number, request.Written);
        return channel;
    }

    /// <summary>Ends the connection; every channel fails. Repeating it does nothing.</summary>
    public void Abort(Exception reason)
    {
        if (Interlocked.CompareExchange(ref _failure, reason, null) is not null)
            return;
        _stream.Dispose();
        Writer.Fail(reason);
        foreach (AgentChannel channel in _channels.Values)
            channel.Fail(reason);
        _channels.Clear();
        _ended.TrySetResult(reason);
    }

    internal void Forget(uint channel) => _channels.TryRemove(channel, out _);

    internal StacyVMException Gone(Exception reason) =>
        new(ProblemKind.SandboxGone, $"sandbox {SandboxId}: the connection to its agent has ended ({reason.Message}); the operation was cut off", reason);

    /// <summary>From the receiver: a frame that is whole.</summary>
    internal void OnFrame(FrameHeader header, ReadOnlySpan<byte> payload, List<Waiter> woken)
    {
        if (header.Type is not FrameType.Data && header.Stream != DataStream.Input)
            throw new ProtocolViolationException("only Data frames name a stream");
        switch (header.Type)
        {
            case FrameType.Ping when header.Channel == 0 && payload.Length <= 64:
                Writer.PostIfIdle(FrameType.Pong, payload);
                return;
            case FrameType.Pong when header.Channel == 0:
                return;
            case FrameType.Data or FrameType.Reply or FrameType.End or FrameType.Credit or FrameType.Closed:
                break;
            default:
                throw new ProtocolViolationException($"the agent sent a frame of type {header.Type}, which it may not");
        }
        // Both sides can be closing at once: a frame for a channel that is already forgotten is dropped.
        if (!_channels.TryGetValue(header.Channel, out AgentChannel? channel))
            return;
        switch (header.Type)
        {
            case FrameType.Data:
                channel.OnData(header.Stream, payload, woken);
                break;
            case FrameType.Reply:
                channel.OnReply(payload, woken);
                break;
            case FrameType.End:
                channel.OnEnd(woken);
                break;
            case FrameType.Credit when payload.Length == 4:
                channel.OnCredit(BinaryPrimitives.ReadUInt32LittleEndian(payload), woken);
                break;
            case FrameType.Closed:
                // Forgotten only once it is understood: a malformed one fails this channel with all others.
                var reader = new RecordReader(payload);
                var closed = ClosedMessage.Read(ref reader);
                Forget(header.Channel);
                channel.OnClosed(closed, woken);
                break;
            default:
                throw new ProtocolViolationException("a Credit frame has 4 bytes");
        }
    }

    /// <summary>From the receiver: a large Data frame in a rented array, which changes hands.</summary>
    internal void OnLargeData(FrameHeader header, byte[] rented, List<Waiter> woken)
    {
        if (!_channels.TryGetValue(header.Channel, out AgentChannel? channel) || !channel.OnLargeData(header.Stream, rented, header.Length, woken))
            ArrayPool<byte>.Shared.Return(rented);
    }
}
