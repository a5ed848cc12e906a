using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

/// <summary>A plain, blocking host's side of the protocol, for tests only.</summary>
internal sealed class AgentClient : IDisposable
{
    private readonly Socket? _socket;
    private readonly Stream _stream;
    private readonly ConcurrentDictionary<uint, AgentChannel> _channels = new();
    private readonly Lock _sending = new();
    private uint _last;

    internal AgentClient(Socket socket)
    {
        socket.SendBufferSize = 1 << 20;
        (_socket, _stream) = (socket, new NetworkStream(socket, ownsSocket: true));
    }

    internal AgentClient(Stream stream) => _stream = stream;

    internal WelcomeMessage Welcome { get; private set; } = null!;

    /// <summary>Set when a Pong arrives.</summary>
    internal BlockingCollection<byte[]> Pongs { get; } = [];

    internal void Greet()
    {
        _socket?.ReceiveTimeout = (int)AgentProgram.Patience.TotalMilliseconds;
        var hello = new RecordWriter();
        byte[] nonce = new byte[AgentProtocol.NonceLength];
        Random.Shared.NextBytes(nonce);
        new HelloMessage(AgentProtocol.Version, "sb-test", nonce).Write(hello);
        Send(FrameType.Hello, 0, hello.Written);
        (FrameHeader header, byte[] payload) = Receive();
        Assert.Equal(FrameType.Welcome, header.Type);
        var reader = new RecordReader(payload);
        Welcome = WelcomeMessage.Read(ref reader);
        Assert.Equal(nonce, Welcome.Nonce);
        _socket?.ReceiveTimeout = 0;
        new Thread(Listen) { IsBackground = true }.Start();
    }

    internal AgentChannel Open(ChannelKind kind, Action<RecordWriter>? request = null, bool takesOutput = true)
    {
        uint number = Interlocked.Increment(ref _last);
        var channel = new AgentChannel(this, number, takesOutput);
        _channels[number] = channel;
        var writer = new RecordWriter();
        writer.Byte((byte)kind);
        request?.Invoke(writer);
        Send(FrameType.Open, number, writer.Written);
        return channel;
    }

    internal ClosedMessage Call(ChannelKind kind, Action<RecordWriter>? request = null) => Open(kind, request).Closed;

    internal AgentChannel Start(StartProcessRequest request, bool takesOutput = true) =>
        Open(ChannelKind.StartProcess, request.Write, takesOutput);

    internal AgentChannel Shell(string script, ProcessFlags flags = ProcessFlags.None, ulong timeout = 0) =>
        Start(new StartProcessRequest { Arguments = ["sh", "-c", script], Flags = flags, TimeoutMilliseconds = timeout });

    internal AgentChannel Attach(uint process, ulong offset) =>
        Open(ChannelKind.AttachProcess, new AttachProcessRequest(process, offset).Write);

    internal ClosedMessage Signal(uint process, int signal) =>
        Call(ChannelKind.SignalProcess, new SignalProcessRequest(process, signal).Write);

    internal List<ProcessEntry> Processes()
    {
        AgentChannel channel = Open(ChannelKind.ListProcesses);
        Assert.Equal(AgentStatus.Ok, channel.Closed.Status);
        var entries = new List<ProcessEntry>();
        var reader = new RecordReader(channel.Output);
        while (!reader.AtEnd)
            entries.Add(ProcessEntry.Read(ref reader));
        return entries;
    }

    internal ClosedMessage Write(string path, ReadOnlySpan<byte> content, uint mode = WriteFileRequest.KeepMode, bool append = false)
    {
        AgentChannel channel = Open(ChannelKind.WriteFile, new WriteFileRequest(path, mode, append).Write);
        channel.SendAll(content);
        channel.End();
        return channel.Closed;
    }

    internal ClosedMessage Write(string path, string content) => Write(path, Encoding.UTF8.GetBytes(content));

    internal AgentChannel Read(string path, long offset = 0, long length = long.MaxValue) =>
        Open(ChannelKind.ReadFile, new ReadFileRequest(path, offset, length).Write);

    internal void Send(FrameType type, uint channel, ReadOnlySpan<byte> payload)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, channel, type, DataStream.Input).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.Size));
        SendRaw(frame);
    }

    internal void SendRaw(ReadOnlySpan<byte> bytes)
    {
        lock (_sending)
            _stream.Write(bytes);
    }

    internal void SendCredit(uint channel, int bytes)
    {
        var writer = new RecordWriter();
        writer.UInt32((uint)bytes);
        Send(FrameType.Credit, channel, writer.Written);
    }

    /// <summary>True when the agent has closed the connection.</summary>
    internal ManualResetEventSlim Ended { get; } = new();

    public void Dispose() => _stream.Dispose();

    private void Listen()
    {
        try
        {
            while (true)
            {
                (FrameHeader header, byte[] payload) = Receive();
                if (header.Type == FrameType.Pong)
                    Pongs.Add(payload);
                else if (_channels.TryGetValue(header.Channel, out AgentChannel? channel))
                    channel.OnFrame(header, payload);
            }
        }
        catch (Exception e) when (e is IOException or EndOfStreamException or ObjectDisposedException)
        {
            Ended.Set();
            foreach (AgentChannel channel in _channels.Values)
                channel.OnLost();
        }
    }

    private (FrameHeader Header, byte[] Payload) Receive()
    {
        byte[] head = new byte[FrameHeader.Size];
        _stream.ReadExactly(head);
        Assert.True(FrameHeader.TryRead(head, out FrameHeader header));
        byte[] payload = new byte[header.Length];
        _stream.ReadExactly(payload);
        return (header, payload);
    }
}
