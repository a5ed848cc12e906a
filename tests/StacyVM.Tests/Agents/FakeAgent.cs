using System.Net.Sockets;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agents;

/// <summary>The far end of a connection, one frame at a time, as lying or as honest as a test wants it.</summary>
internal sealed class FakeAgent(Stream stream) : IDisposable
{
    public Stream Stream { get; } = stream;

    public static async Task<FakeAgent> DialAsync(string socketPath)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        await socket.ConnectAsync(new UnixDomainSocketEndPoint(socketPath));
        return new FakeAgent(new NetworkStream(socket, ownsSocket: true));
    }

    /// <summary>Two ends of one stream.</summary>
    public static (Stream Host, FakeAgent Agent) Pair()
    {
        string path = Path.Combine(Path.GetTempPath(), $"stacyvm-pair-{Guid.NewGuid():n}");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var near = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        near.Connect(new UnixDomainSocketEndPoint(path));
        Socket far = listener.Accept();
        File.Delete(path);
        return (new NetworkStream(near, ownsSocket: true), new FakeAgent(new NetworkStream(far, ownsSocket: true)));
    }

    public async Task<HelloMessage> WelcomeAsync(string token, ushort version = AgentProtocol.Version, byte[]? nonce = null)
    {
        (FrameHeader header, byte[] payload) = await ReadAsync();
        Assert.Equal(FrameType.Hello, header.Type);
        HelloMessage hello = Decode(payload);
        var w = new RecordWriter();
        new WelcomeMessage(version, nonce ?? hello.Nonce, token, 1, 1).Write(w);
        await SendAsync(FrameType.Welcome, 0, w.Written.ToArray());
        return hello;

        static HelloMessage Decode(byte[] payload)
        {
            var reader = new RecordReader(payload);
            return HelloMessage.Read(ref reader);
        }
    }

    public async Task<(FrameHeader Header, byte[] Payload)> ReadAsync()
    {
        byte[] head = new byte[FrameHeader.Size];
        await Stream.ReadExactlyAsync(head).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.True(FrameHeader.TryRead(head, out FrameHeader header));
        byte[] payload = new byte[header.Length];
        await Stream.ReadExactlyAsync(payload).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        return (header, payload);
    }

    /// <summary>Reads on until a frame of this type comes.</summary>
    public async Task<(FrameHeader Header, byte[] Payload)> ReadAsync(FrameType type)
    {
        while (true)
        {
            (FrameHeader Header, byte[] Payload) frame = await ReadAsync();
            if (frame.Header.Type == type)
                return frame;
        }
    }

    public Task SendAsync(FrameType type, uint channel, ReadOnlyMemory<byte> payload, DataStream stream = DataStream.Input) =>
        Stream.WriteAsync(Frame(type, channel, payload.Span, stream)).AsTask();

    public Task CloseAsync(uint channel, AgentStatus status = AgentStatus.Ok, string message = "", byte[]? body = null)
    {
        var w = new RecordWriter();
        new ClosedMessage(status, message, body ?? []).Write(w);
        return SendAsync(FrameType.Closed, channel, w.Written.ToArray());
    }

    public static byte[] Frame(FrameType type, uint channel, ReadOnlySpan<byte> payload, DataStream stream = DataStream.Input)
    {
        byte[] frame = new byte[FrameHeader.Size + payload.Length];
        new FrameHeader(payload.Length, channel, type, stream).Write(frame);
        payload.CopyTo(frame.AsSpan(FrameHeader.Size));
        return frame;
    }

    /// <summary>True when the host has ended the connection.</summary>
    public async Task<bool> IsClosedAsync()
    {
        try
        {
            byte[] buffer = new byte[4096];
            while (await Stream.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(10)) > 0)
            {
            }
            return true;
        }
        catch (IOException)
        {
            return true;
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    public void Dispose() => Stream.Dispose();
}
