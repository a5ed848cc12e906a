namespace StacyVM.Protocol.Agent;

/// <summary>First frame of a connection, from the host.</summary>
/// <param name="Version"><see cref="AgentProtocol.Version"/> of the host.</param>
/// <param name="SandboxId">The sandbox that the host takes the peer for.</param>
/// <param name="Nonce">Random bytes that the answer must repeat.</param>
public sealed record HelloMessage(ushort Version, string SandboxId, byte[] Nonce)
{
    public void Write(RecordWriter w)
    {
        w.UInt16(Version);
        w.String(SandboxId);
        w.Blob(Nonce);
    }

    public static HelloMessage Read(ref RecordReader r) => new(r.UInt16(), r.String(), r.Blob().ToArray());
}

/// <summary>Answer to <see cref="HelloMessage"/>.</summary>
/// <param name="Version"><see cref="AgentProtocol.Version"/> of the agent.</param>
/// <param name="Nonce">The host's nonce.</param>
/// <param name="Token">The sandbox's secret; compared in constant time by the host.</param>
/// <param name="Pid">The agent's process id in its own namespace.</param>
/// <param name="StartedAt">When the agent started, Unix time in microseconds: tells a reconnected agent from a restarted one.</param>
public sealed record WelcomeMessage(ushort Version, byte[] Nonce, string Token, uint Pid, long StartedAt)
{
    public void Write(RecordWriter w)
    {
        w.UInt16(Version);
        w.Blob(Nonce);
        w.String(Token);
        w.UInt32(Pid);
        w.Int64(StartedAt);
    }

    public static WelcomeMessage Read(ref RecordReader r) => new(r.UInt16(), r.Blob().ToArray(), r.String(), r.UInt32(), r.Int64());
}

/// <summary>Last frame of a channel, from the agent.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Message">One sentence for a person when it failed; empty otherwise. Never decided upon.</param>
/// <param name="Body">The kind's closing body; empty when the status is a failure.</param>
public sealed record ClosedMessage(AgentStatus Status, string Message, byte[] Body)
{
    public void Write(RecordWriter w)
    {
        w.UInt16((ushort)Status);
        w.String(Message);
        w.Blob(Body);
    }

    public static ClosedMessage Read(ref RecordReader r) => new((AgentStatus)r.UInt16(), r.String(), r.Blob().ToArray());
}
