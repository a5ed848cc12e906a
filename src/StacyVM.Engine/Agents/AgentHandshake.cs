using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Agents;

/// <summary>The host speaks first; the answer must repeat its nonce and carry the sandbox's token. Nothing else of the peer is read before that.</summary>
internal static class AgentHandshake
{
    /// <summary>A Welcome is small; a peer that announces more is not an agent.</summary>
    private const int WelcomeBound = 1024;

    /// <param name="stream">To the peer.</param>
    /// <param name="sandboxId">Whom the peer is taken for.</param>
    /// <param name="token">What it has to present.</param>
    /// <param name="kept">The stream is a line that outlives connections: what comes first may be left over from the one before.</param>
    /// <param name="cancellation">Gives up.</param>
    public static async Task<WelcomeMessage> RunAsync(Stream stream, string sandboxId, string token, bool kept, CancellationToken cancellation)
    {
        // 1. Hello.
        byte[] nonce = RandomNumberGenerator.GetBytes(AgentProtocol.NonceLength);
        var hello = new RecordWriter();
        new HelloMessage(AgentProtocol.Version, sandboxId, nonce).Write(hello);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(FrameHeader.Size + Math.Max(WelcomeBound, hello.Length));
        try
        {
            new FrameHeader(hello.Length, 0, FrameType.Hello, DataStream.Input).Write(buffer);
            hello.Written.CopyTo(buffer.AsSpan(FrameHeader.Size));
            await stream.WriteAsync(buffer.AsMemory(0, FrameHeader.Size + hello.Length), cancellation).ConfigureAwait(false);

            if (kept)
                return Check(await WelcomeSearch.FindAsync(stream, nonce, WelcomeBound, cancellation).ConfigureAwait(false), nonce, token);

            // 2. Welcome: never a byte more than its frame, what follows belongs to the receiver.
            await stream.ReadExactlyAsync(buffer.AsMemory(0, FrameHeader.Size), cancellation).ConfigureAwait(false);
            if (!FrameHeader.TryRead(buffer, out FrameHeader header) || header is not { Type: FrameType.Welcome, Channel: 0, Stream: DataStream.Input, Length: <= WelcomeBound })
                throw new ProtocolViolationException("the peer did not answer Hello with Welcome");
            Memory<byte> payload = buffer.AsMemory(0, header.Length);
            await stream.ReadExactlyAsync(payload, cancellation).ConfigureAwait(false);

            // 3. Is it the agent of this sandbox?
            return Check(payload.Span, nonce, token);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(buffer);
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private static WelcomeMessage Check(ReadOnlySpan<byte> payload, byte[] nonce, string token)
    {
        var reader = new RecordReader(payload);
        WelcomeMessage welcome = WelcomeMessage.Read(ref reader);
        if (welcome.Version != AgentProtocol.Version)
            throw new ProtocolViolationException($"the agent speaks version {welcome.Version} of the protocol, this server version {AgentProtocol.Version}");
        if (!CryptographicOperations.FixedTimeEquals(welcome.Nonce, nonce))
            throw new ProtocolViolationException("the peer answered with another nonce");
        if (!CryptographicOperations.FixedTimeEquals(Encoding.UTF8.GetBytes(welcome.Token), Encoding.UTF8.GetBytes(token)))
            throw new ProtocolViolationException("the peer does not know the sandbox's token");
        return welcome;
    }
}
