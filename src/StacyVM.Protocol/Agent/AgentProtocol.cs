namespace StacyVM.Protocol.Agent;

/// <summary>
/// The protocol between the server and <c>stacyvm-agent</c>: one byte stream, many channels.
/// </summary>
/// <remarks>
/// <para>
/// The agent dials, the host speaks first: <see cref="FrameType.Hello"/> (version, sandbox id, nonce), answered by
/// <see cref="FrameType.Welcome"/> (version, the same nonce, the sandbox's token). After it, the host opens channels; each is one operation.
/// </para>
/// <para>
/// A frame is a <see cref="FrameHeader"/> of 12 bytes and at most <see cref="MaxPayload"/> bytes. A frame that breaks a rule ends the
/// connection, never the process that read it.
/// </para>
/// <para>
/// Life of a channel, host's side first: <c>Open</c> → (<c>Reply</c>) → any of <c>Data</c>, <c>End</c>, <c>Credit</c>, <c>Control</c>, in
/// both directions → exactly one <c>Closed</c> from the agent. <c>Cancel</c> from the host asks the agent to give up; it still answers <c>Closed</c>.
/// Channel numbers are chosen by the host, are never 0 and are never used twice on one connection. Frames for a channel that the
/// receiver has already forgotten are dropped silently: both sides can be closing at once.
/// </para>
/// <para>
/// Flow control: each side may send <see cref="InitialWindow"/> bytes of <c>Data</c> payload a channel, and more only as <c>Credit</c> arrives.
/// A slow reader stalls its own channel and no other.
/// </para>
/// </remarks>
public static class AgentProtocol
{
    /// <summary>Version spoken by this build. A peer with another major version is refused with a sentence that names both.</summary>
    public const ushort Version = 1;

    /// <summary>Largest payload of one frame, in bytes.</summary>
    public const int MaxPayload = 256 * 1024;

    /// <summary>Bytes of <see cref="FrameType.Data"/> payload a side may send on a new channel before it needs credit.</summary>
    public const int InitialWindow = 1024 * 1024;

    /// <summary>Length of the nonce in <see cref="HelloMessage"/>, in bytes.</summary>
    public const int NonceLength = 16;

    /// <summary>Default bound of the retained output of one process, in bytes; see <see cref="StartProcessRequest.TailBytes"/>.</summary>
    public const int DefaultTailBytes = 1024 * 1024;

    /// <summary>Environment variable: where the agent dials. <c>unix:/path</c>, <c>stdio:</c>, <c>vsock:2:1024</c> or <c>serial:/dev/…</c>.</summary>
    public const string DialVariable = "STACYVM_AGENT_DIAL";

    /// <summary>Environment variable: the secret that proves which sandbox this agent speaks for. Removed before any command is started.</summary>
    public const string TokenVariable = "STACYVM_AGENT_TOKEN";

    /// <summary>Environment variable: the working directory of a command that names none. Default <c>/workspace</c>.</summary>
    public const string WorkdirVariable = "STACYVM_AGENT_WORKDIR";

    /// <summary>Environment variable: numeric <c>uid:gid</c> that commands run as when a request names none. Unset: the agent's own.</summary>
    public const string UserVariable = "STACYVM_AGENT_USER";

    /// <summary>What the first process of a machine prints that was only started to see whether it would.</summary>
    public const string TrialAnswer = "stacyvm-agent: this machine works";

    /// <summary>Prefix of every variable meant for the agent alone; none of them reaches a command.</summary>
    public const string VariablePrefix = "STACYVM_AGENT_";
}
