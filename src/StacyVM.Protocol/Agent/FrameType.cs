namespace StacyVM.Protocol.Agent;

/// <summary>What a frame is. The arrow says who may send it.</summary>
public enum FrameType : byte
{
    /// <summary>host → agent, channel 0, first frame: <see cref="HelloMessage"/>.</summary>
    Hello = 1,

    /// <summary>agent → host, channel 0, answer to Hello: <see cref="WelcomeMessage"/>.</summary>
    Welcome = 2,

    /// <summary>host → agent: a new channel. Payload: one byte <see cref="ChannelKind"/>, then that kind's request.</summary>
    Open = 3,

    /// <summary>agent → host: the operation has begun. Payload: the kind's reply. Sent once, before any Data, by the kinds that have one.</summary>
    Reply = 4,

    /// <summary>both: bytes of the stream named in <see cref="FrameHeader.Stream"/>. Costs credit.</summary>
    Data = 5,

    /// <summary>both: the sender will send no more Data on this channel (end of stdin, of an upload, half-close of a port).</summary>
    End = 6,

    /// <summary>both: payload is a u32, the number of further Data bytes the peer may send on this channel.</summary>
    Credit = 7,

    /// <summary>host → agent: payload is one byte <see cref="ControlVerb"/>, then its arguments.</summary>
    Control = 8,

    /// <summary>agent → host: the channel's last frame: <see cref="ClosedMessage"/>.</summary>
    Closed = 9,

    /// <summary>host → agent: give up. A process that is not detached is killed with its whole tree; a half-written file is removed.</summary>
    Cancel = 10,

    /// <summary>both, channel 0: answer with Pong carrying the same payload (at most 64 bytes).</summary>
    Ping = 11,

    /// <summary>both, channel 0: answer to Ping.</summary>
    Pong = 12,
}
