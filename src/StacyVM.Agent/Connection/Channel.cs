using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

/// <summary>One operation of the host, seen from the agent. Lives on the loop's thread.</summary>
internal abstract class Channel(AgentConnection connection, uint number)
{
    private const int CreditStep = AgentProtocol.InitialWindow / 4;
    private int _window = AgentProtocol.InitialWindow;
    private int _owed;

    internal uint Number { get; } = number;

    internal bool IsClosed { get; private set; }

    /// <summary>Bytes of Data that the host still takes.</summary>
    internal long SendCredit { get; set; } = AgentProtocol.InitialWindow;

    protected AgentConnection Connection { get; } = connection;

    /// <summary>Data has arrived and counts against the window; <see cref="Consumed"/> opens it again.</summary>
    internal void Receive(ReadOnlySpan<byte> data)
    {
        _window -= data.Length;
        if (_window < 0)
            throw new ProtocolViolationException("the host sent more than the window of a channel");
        OnData(data);
    }

    internal void AddCredit(uint bytes)
    {
        SendCredit += bytes;
        OnWritable();
    }

    /// <summary>Begins the channel's work once it is known to the connection.</summary>
    internal virtual void OnOpened()
    {
    }

    internal virtual void OnEnd()
    {
    }

    internal virtual void OnControl(ref RecordReader arguments)
    {
    }

    /// <summary>There is new credit, or the connection takes output again.</summary>
    internal virtual void OnWritable()
    {
    }

    /// <summary>The host gives up. A Closed must follow.</summary>
    internal abstract void OnCancel();

    /// <summary>The connection is gone: nothing can be sent any more.</summary>
    internal abstract void OnLost();

    protected virtual void OnData(ReadOnlySpan<byte> data) => Consumed(data.Length);

    /// <summary>Received bytes have been dealt with: the host may send as many again. Told in steps, not byte by byte.</summary>
    protected void Consumed(int bytes)
    {
        _owed += bytes;
        if (_owed < CreditStep || IsClosed)
            return;
        _window += _owed;
        Connection.SendCredit(Number, (uint)_owed);
        _owed = 0;
    }

    protected void Reply(ReadOnlySpan<byte> payload) =>
        Connection.Outbox.Frame(Number, FrameType.Reply, DataStream.Input, payload);

    /// <summary>The channel's last word.</summary>
    protected void Close(AgentStatus status, string message = "", ReadOnlySpan<byte> body = default)
    {
        if (IsClosed)
            return;
        IsClosed = true;
        Connection.SendClosed(Number, status, message, body);
    }
}
