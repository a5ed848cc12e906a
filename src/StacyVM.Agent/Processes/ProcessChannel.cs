using StacyVM.Agent.Connection;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>A host's hold on a process: input to it, and a reading position in its output.</summary>
internal sealed unsafe class ProcessChannel(AgentConnection connection, uint number, SandboxProcess process, ulong? attachAt = null)
    : Channel(connection, number)
{
    private bool _replied;

    /// <summary>Offset of the next byte of output to send.</summary>
    internal ulong Cursor { get; private set; }

    internal override void OnOpened()
    {
        if (attachAt is { } offset)
            process.Attach(this, offset);
        else
            process.OnChannelOpened(this);
    }

    /// <summary>The process runs; its output may follow.</summary>
    internal void Replied(ReadOnlySpan<byte> reply, ulong cursor)
    {
        if (Cursor == ulong.MaxValue)
            return;
        _replied = true;
        Cursor = cursor;
        Reply(reply);
    }

    /// <summary>Sends what there is and what the host takes; the channel ends when a process that is over has nothing left to tell.</summary>
    internal override void OnWritable()
    {
        if (!_replied || IsClosed)
            return;
        while (Cursor < process.Output.End && SendCredit > 0 && !Connection.Outbox.Congested)
        {
            byte* piece = process.Output.Piece(Cursor, out DataStream stream, out int count);
            count = (int)Math.Min(Math.Min(count, AgentProtocol.MaxPayload), SendCredit);
            Connection.Outbox.Data(Number, stream, piece, count);
            Cursor += (ulong)count;
            SendCredit -= count;
        }
        if (process.HasEnded && Cursor == process.Output.End)
        {
            var body = new RecordWriter();
            process.Exit.Write(body);
            Leave(AgentStatus.Ok, "", body.Written);
        }
        else
        {
            process.ResumeOutput();
        }
    }

    internal void Refuse(AgentStatus status, string message) => Leave(status, message, []);

    internal void InputConsumed(int bytes) => Consumed(bytes);

    internal override void OnEnd() => process.EndInput();

    internal override void OnControl(ref RecordReader arguments)
    {
        switch ((ControlVerb)arguments.Byte())
        {
            case ControlVerb.Resize:
                process.Resize(arguments.UInt16(), arguments.UInt16());
                break;
            case ControlVerb.Signal:
                process.Signal(arguments.Int32());
                break;
            case ControlVerb.Kill:
                process.Kill(ExitFlags.Killed);
                break;
            case ControlVerb.Detach:
                process.Retain();
                Leave(AgentStatus.Detached, "", []);
                break;
            default:
                throw new ProtocolViolationException("an unknown control verb");
        }
    }

    internal override void OnCancel()
    {
        if (process.IsDetached)
            Leave(AgentStatus.Detached, "", []);
        else
            process.Cancel(this);
    }

    /// <summary>Takes no more output and holds none back.</summary>
    internal void StopReading()
    {
        _replied = false;
        Cursor = ulong.MaxValue;
    }

    /// <summary>The exit is told, the output is not waited for: the host has given up on it.</summary>
    internal void CloseCancelled()
    {
        var body = new RecordWriter();
        process.Exit.Write(body);
        Leave(AgentStatus.Ok, "", body.Written);
    }

    internal override void OnLost()
    {
        process.Retain();
        process.OnChannelClosed(this);
    }

    protected override void OnData(ReadOnlySpan<byte> data) => process.WriteInput(this, data);

    private void Leave(AgentStatus status, string message, ReadOnlySpan<byte> body)
    {
        Close(status, message, body);
        process.OnChannelClosed(this);
    }
}
