using System.Text;
using StacyVM.Protocol.Agent;
using Xunit;

namespace StacyVM.Tests.Agent;

/// <summary>One operation as the test sees it: what has arrived so far, and ways to wait for more.</summary>
internal sealed class AgentChannel(AgentClient client, uint number, bool takesOutput)
{
    private readonly object _gate = new();
    private readonly MemoryStream _output = new(), _error = new();
    private byte[]? _reply;
    private ClosedMessage? _closed;
    private long _credit = AgentProtocol.InitialWindow;
    private bool _lost, _peerEnded, _takesOutput = takesOutput;

    internal uint Number => number;

    /// <summary>Waits for the last frame.</summary>
    internal ClosedMessage Closed
    {
        get
        {
            Wait(() => _closed is not null, "Closed");
            return _closed!;
        }
    }

    internal byte[] Reply
    {
        get
        {
            Wait(() => _reply is not null || _closed is not null, "Reply");
            return _reply ?? throw new InvalidOperationException("closed without a reply: " + _closed!.Status + " " + _closed.Message);
        }
    }

    internal ProcessStarted Started
    {
        get
        {
            var reader = new RecordReader(Reply);
            return ProcessStarted.Read(ref reader);
        }
    }

    internal ProcessExit Exit
    {
        get
        {
            ClosedMessage closed = Closed;
            Assert.True(closed.Status == AgentStatus.Ok, closed.Status + ": " + closed.Message);
            var reader = new RecordReader(closed.Body);
            return ProcessExit.Read(ref reader);
        }
    }

    /// <summary>Output so far; after <see cref="Closed"/> all of it.</summary>
    internal byte[] Output
    {
        get
        {
            lock (_gate)
                return _output.ToArray();
        }
    }

    internal string OutputText => Encoding.UTF8.GetString(Output);

    internal string ErrorText
    {
        get
        {
            lock (_gate)
                return Encoding.UTF8.GetString(_error.ToArray());
        }
    }

    internal AgentChannel WaitForOutput(string text)
    {
        Wait(() => Encoding.UTF8.GetString(_output.GetBuffer(), 0, (int)_output.Length).Contains(text, StringComparison.Ordinal), text);
        return this;
    }

    internal void WaitForOutput(long bytes) => Wait(() => _output.Length >= bytes, bytes + " bytes");

    internal void WaitForEnd() => Wait(() => _peerEnded, "End");

    /// <summary>Sends Data as credit allows.</summary>
    internal void SendAll(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            int count;
            lock (_gate)
            {
                while (_credit == 0 && _closed is null && !_lost)
                    if (!Monitor.Wait(_gate, AgentProgram.Patience))
                        throw new TimeoutException("no credit came");
                if (_closed is not null || _lost)
                    return;
                count = (int)Math.Min(Math.Min(bytes.Length, AgentProtocol.MaxPayload), _credit);
                _credit -= count;
            }
            client.Send(FrameType.Data, number, bytes[..count]);
            bytes = bytes[count..];
        }
    }

    internal void SendAll(string text) => SendAll(Encoding.UTF8.GetBytes(text));

    internal void End() => client.Send(FrameType.End, number, []);

    internal void Cancel() => client.Send(FrameType.Cancel, number, []);

    internal void Control(ControlVerb verb, Action<RecordWriter>? arguments = null)
    {
        var writer = new RecordWriter();
        writer.Byte((byte)verb);
        arguments?.Invoke(writer);
        client.Send(FrameType.Control, number, writer.Written);
    }

    /// <summary>From now on output is taken as fast as it comes.</summary>
    internal void TakeOutput()
    {
        int owed;
        lock (_gate)
        {
            _takesOutput = true;
            owed = (int)(_output.Length + _error.Length);
        }
        client.SendCredit(number, owed);
    }

    internal void OnFrame(FrameHeader header, byte[] payload)
    {
        bool credit = false;
        lock (_gate)
        {
            switch (header.Type)
            {
                case FrameType.Reply:
                    _reply = payload;
                    break;
                case FrameType.Data:
                    (header.Stream == DataStream.Error ? _error : _output).Write(payload);
                    credit = _takesOutput;
                    break;
                case FrameType.End:
                    _peerEnded = true;
                    break;
                case FrameType.Credit:
                    var reader = new RecordReader(payload);
                    _credit += reader.UInt32();
                    break;
                case FrameType.Closed:
                    var closed = new RecordReader(payload);
                    _closed = ClosedMessage.Read(ref closed);
                    break;
            }
            Monitor.PulseAll(_gate);
        }
        if (credit && payload.Length > 0)
            client.SendCredit(number, payload.Length);
    }

    internal void OnLost()
    {
        lock (_gate)
        {
            _lost = true;
            Monitor.PulseAll(_gate);
        }
    }

    private void Wait(Func<bool> condition, string what)
    {
        long deadline = Environment.TickCount64 + (long)AgentProgram.Patience.TotalMilliseconds;
        lock (_gate)
        {
            while (!condition())
            {
                if (_lost)
                    throw new EndOfStreamException("the connection ended while waiting for " + what);
                if (_closed is not null && what is not ("Closed" or "Reply"))
                    throw new InvalidOperationException(
                        "closed (" + _closed.Status + " " + _closed.Message + ") while waiting for " + what + "; output: " + OutputText + ErrorText);
                if (!Monitor.Wait(_gate, TimeSpan.FromMilliseconds(Math.Max(1, deadline - Environment.TickCount64))) && Environment.TickCount64 >= deadline)
                    throw new TimeoutException("waited for " + what + "; output: " + OutputText + ErrorText);
            }
        }
    }
}
