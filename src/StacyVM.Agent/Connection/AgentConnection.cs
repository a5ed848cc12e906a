using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

/// <summary>One connection to the host: the handshake, then frames to channels and back. Ends at the first broken rule.</summary>
internal sealed unsafe class AgentConnection : IEventHandler
{
    private const int SmallRead = 16 * 1024, LargeRead = AgentProtocol.MaxPayload + FrameHeader.Size;
    private const int LongestPing = 64;
    private const int TrimAfterMilliseconds = 500;
    private const long LargeHeapBytes = 384 * 1024;
    private const int HelloWithinMilliseconds = 10_000;

    private readonly EventLoop _loop;
    private readonly SandboxAgent _agent;
    private readonly ByteQueue _inbox = new();
    private readonly Dictionary<uint, Channel> _channels = [];
    private readonly RecordWriter _writer = new();
    private readonly int _mostChannels;
    private int _input, _output;
    private int _readSize = SmallRead;
    private bool _watchesOutput;
    private Loop.Timer? _trim, _handshake;

    internal AgentConnection(EventLoop loop, SandboxAgent agent, int input, int output, int mostChannels)
    {
        (_loop, _agent, _input, _output, _mostChannels) = (loop, agent, input, output, mostChannels);
        Outbox = new Outbox(output);
        _loop.Add(input, EpollEvents.In, this);
        _handshake = _loop.Timers.Start(HelloWithinMilliseconds, () => End("the host said nothing"));
    }

    internal Outbox Outbox { get; }

    /// <summary>The host's Hello was accepted.</summary>
    internal bool IsWelcome { get; private set; }

    internal bool HasEnded => _input < 0;

    public void OnReady(int descriptor, uint events)
    {
        if ((events & EpollEvents.Out) != 0)
            Flush();
        if (HasEnded || descriptor != _input || (events & ~EpollEvents.Out) == 0)
            return;
        try
        {
            Receive();
        }
        catch (ProtocolViolationException violation)
        {
            End(violation.Message);
        }
        catch (Exception fault) when (fault is not OperationFailure)
        {
            // Whatever a request did to us, it costs its host the connection and no one a process.
            End("a fault in the agent");
        }
    }

    /// <summary>Writes what the turn produced, and what those add who were held back meanwhile; called once at its end. Credit bounds it.</summary>
    internal void Flush()
    {
        if (HasEnded)
            return;
        Outbox.Flush();
        while (!Outbox.Broken && !Outbox.Blocked && Outbox.TakeHeldBack())
        {
            ResumeChannels();
            Outbox.Flush();
        }
        if (Outbox.Broken)
        {
            End(null);
            return;
        }
        if (Outbox.Blocked != _watchesOutput)
            WatchOutput(Outbox.Blocked);
    }

    internal void SendCredit(uint channel, uint bytes)
    {
        _writer.Clear();
        _writer.UInt32(bytes);
        Outbox.Frame(channel, FrameType.Credit, DataStream.Input, _writer.Written);
    }

    internal void SendClosed(uint channel, AgentStatus status, string message, ReadOnlySpan<byte> body)
    {
        _channels.Remove(channel);
        _writer.Clear();
        _writer.UInt16((ushort)status);
        _writer.String(message);
        _writer.Blob(body);
        Outbox.Frame(channel, FrameType.Closed, DataStream.Input, _writer.Written);
    }

    /// <summary>Ends the connection; channels learn that they are lost, processes run on.</summary>
    internal void End(string? reason)
    {
        if (HasEnded)
            return;
        if (reason is not null)
            Descriptor.Complain("connection ended: " + reason);
        _loop.Timers.Stop(ref _trim);
        _loop.Timers.Stop(ref _handshake);
        if (_output != _input)
            _loop.Close(ref _output);
        _loop.Close(ref _input);
        Outbox.Abandon();
        _inbox.Dispose();
        LoseChannels();
        _agent.OnConnectionEnded(this);
    }

    /// <summary>Another host has taken over the same line: nothing of the one before is owed any more.</summary>
    private void BeginAnew()
    {
        IsWelcome = false;
        LoseChannels();
        Outbox.Restart();
    }

    private void LoseChannels()
    {
        foreach (Channel channel in _channels.Values.ToArray())
            channel.OnLost();
        _channels.Clear();
    }

    private void Receive()
    {
        int wanted = Math.Max(_readSize, MissingOfFrame());
        nint count = Libc.Read(_input, _inbox.Reserve(wanted), (nuint)wanted);
        if (count <= 0)
        {
            if (count == 0 || Errno.Last is not (Errno.TryAgain or Errno.Interrupted))
                End(null);
            return;
        }
        _inbox.Commit((int)count);
        _readSize = count >= SmallRead ? LargeRead : SmallRead;
        while (!HasEnded && _inbox.Count >= FrameHeader.Size)
        {
            if (!FrameHeader.TryRead(_inbox.Bytes, out FrameHeader header))
                throw new ProtocolViolationException("a frame header breaks the rules");
            if (_inbox.Count < FrameHeader.Size + header.Length)
                break;
            Dispatch(header, _inbox.Bytes.Slice(FrameHeader.Size, header.Length));
            if (!HasEnded)
                _inbox.Take(FrameHeader.Size + header.Length);
        }
        if (!HasEnded)
            _trim ??= _loop.Timers.Start(TrimAfterMilliseconds, Trim);
    }

    private int MissingOfFrame() =>
        _inbox.Count >= FrameHeader.Size && FrameHeader.TryRead(_inbox.Bytes, out FrameHeader header)
            ? FrameHeader.Size + header.Length - _inbox.Count
            : 0;

    private void Dispatch(FrameHeader header, ReadOnlySpan<byte> payload)
    {
        var reader = new RecordReader(payload);
        if (!IsWelcome)
        {
            if (header.Type != FrameType.Hello || header.Channel != 0)
                throw new ProtocolViolationException("the first frame is not Hello");
            Welcome(HelloMessage.Read(ref reader));
            return;
        }
        if (header.Channel == 0)
        {
            if (header.Type == FrameType.Hello && _agent.KeepsItsLine)
            {
                BeginAnew();
                Welcome(HelloMessage.Read(ref reader));
                return;
            }
            if (header.Type == FrameType.Ping && payload.Length <= LongestPing)
                Outbox.Frame(0, FrameType.Pong, DataStream.Input, payload);
            else if (header.Type != FrameType.Pong)
                throw new ProtocolViolationException("a frame of channel 0 breaks the rules");
            return;
        }
        if (header.Type == FrameType.Open)
        {
            Open(header.Channel, (ChannelKind)reader.Byte(), ref reader);
            return;
        }
        if (header.Type is not (FrameType.Data or FrameType.End or FrameType.Credit or FrameType.Control or FrameType.Cancel)
            || header.Stream != DataStream.Input)
            throw new ProtocolViolationException("the host may not send that frame");
        if (!_channels.TryGetValue(header.Channel, out Channel? channel))
            return;
        switch (header.Type)
        {
            case FrameType.Data:
                channel.Receive(payload);
                break;
            case FrameType.End:
                channel.OnEnd();
                break;
            case FrameType.Credit:
                channel.AddCredit(reader.UInt32());
                break;
            case FrameType.Control:
                channel.OnControl(ref reader);
                break;
            case FrameType.Cancel:
                channel.OnCancel();
                break;
        }
    }

    private void Welcome(HelloMessage hello)
    {
        if (hello.Version != AgentProtocol.Version)
            throw new ProtocolViolationException(
                "the host speaks version " + hello.Version.ToString() + ", this agent " + AgentProtocol.Version.ToString());
        if (hello.Nonce.Length != AgentProtocol.NonceLength)
            throw new ProtocolViolationException("the nonce has the wrong length");
        _loop.Timers.Stop(ref _handshake);
        IsWelcome = true;
        _writer.Clear();
        _agent.Introduce(hello.Nonce).Write(_writer);
        Outbox.Frame(0, FrameType.Welcome, DataStream.Input, _writer.Written);
        _agent.OnWelcome();
    }

    private void Open(uint number, ChannelKind kind, ref RecordReader request)
    {
        if (_channels.ContainsKey(number))
            throw new ProtocolViolationException("a channel is opened twice");
        if (_channels.Count >= _mostChannels)
        {
            SendClosed(number, AgentStatus.ResourceLimit, "too many channels are open already", []);
            return;
        }
        try
        {
            Channel channel = _agent.Open(this, number, kind, ref request);
            _channels.Add(number, channel);
            channel.OnOpened();
        }
        catch (OperationFailure failure)
        {
            SendClosed(number, failure.Status, failure.Message, []);
        }
    }

    private void ResumeChannels()
    {
        foreach (Channel channel in _channels.Values.ToArray())
        {
            if (Outbox.Congested)
                return;
            channel.OnWritable();
        }
    }

    private void WatchOutput(bool watch)
    {
        _watchesOutput = watch;
        if (_output == _input)
            _loop.Change(_input, watch ? EpollEvents.In | EpollEvents.Out : EpollEvents.In);
        else if (watch)
            _loop.Add(_output, EpollEvents.Out, this);
        else
            _loop.Remove(_output);
    }

    /// <summary>After some work, memory that only the work needed goes back to the system.</summary>
    private void Trim()
    {
        _trim = null;
        _inbox.Trim(SmallRead * 2);
        if (!Outbox.Trim() || _inbox.Capacity > SmallRead * 2)
        {
            _trim = _loop.Timers.Start(TrimAfterMilliseconds, Trim);
            return;
        }
        if (GC.GetTotalMemory(false) > LargeHeapBytes)
            GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        Libc.AllocatorTrim(0);
    }
}
