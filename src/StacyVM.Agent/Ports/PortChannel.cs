using StacyVM.Agent.Connection;
using StacyVM.Agent.Linux;
using StacyVM.Agent.Loop;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Ports;

/// <summary>A TCP connection to a port of the sandbox's own loopback, carried over a channel.</summary>
internal sealed unsafe class PortChannel : Channel, IEventHandler
{
    private const int ReadBytes = 64 * 1024;
    private const int MostBytesATurn = 512 * 1024;
    private readonly EventLoop _loop;
    private readonly WriteQueue _toPort;
    private readonly ByteQueue _early = new();
    private readonly ushort _port;
    private int _fd = -1;
    private uint _watched;
    private bool _connected, _triedIpv6, _hostEnded, _halfClosed, _portEnded;

    internal PortChannel(AgentConnection connection, uint number, EventLoop loop, ushort port) : base(connection, number)
    {
        (_loop, _port) = (loop, port);
        _toPort = new WriteQueue(Consumed);
    }

    internal override void OnOpened()
    {
        if (_port == 0)
            Close(AgentStatus.InvalidArgument, "there is no port 0");
        else
            Dial(SocketConstants.Inet);
    }

    public void OnReady(int descriptor, uint events)
    {
        if (!_connected)
        {
            OnDialled(PendingError());
            return;
        }
        if (!_toPort.IsEmpty && !_toPort.Resume(_fd))
        {
            Finish(AgentStatus.Ok);
            return;
        }
        OnWritable();
    }

    /// <summary>Reads from the port as far as credit and the stream to the host allow.</summary>
    internal override void OnWritable()
    {
        if (!_connected || IsClosed)
            return;
        for (int total = 0; !_portEnded && total < MostBytesATurn && MayRead;)
        {
            int room = (int)Math.Min(ReadBytes, SendCredit);
            byte* buffer = Connection.Outbox.ReserveData(room);
            nint count = Libc.Read(_fd, buffer, (nuint)room);
            if (count > 0)
            {
                Connection.Outbox.CommitData(Number, DataStream.Output, (int)count);
                SendCredit -= count;
                total += (int)count;
                if (count < room)
                    break;
            }
            else if (count == 0)
            {
                _portEnded = true;
                Connection.Outbox.Frame(Number, FrameType.End, DataStream.Input, []);
            }
            else if (Errno.Last is Errno.TryAgain or Errno.Interrupted)
            {
                break;
            }
            else
            {
                Finish(AgentStatus.Ok);
                return;
            }
        }
        Settle();
    }

    internal override void OnEnd()
    {
        _hostEnded = true;
        Settle();
    }

    internal override void OnCancel() => Finish(AgentStatus.Cancelled);

    internal override void OnLost()
    {
        _loop.Close(ref _fd);
        _early.Dispose();
        _toPort.Abandon();
    }

    protected override void OnData(ReadOnlySpan<byte> data)
    {
        if (_hostEnded || _fd < 0)
            Consumed(data.Length);
        else if (!_connected)
            _early.Add(data);
        else if (_toPort.Add(_fd, data))
            Settle();
        else
            Finish(AgentStatus.Ok);
    }

    private bool MayRead => SendCredit > 0 && !Connection.Outbox.Congested;

    private void Dial(int family)
    {
        _fd = Libc.Socket(family, SocketConstants.Stream | SocketConstants.CloseOnExec | SocketConstants.NonBlocking, 0);
        if (_fd < 0)
        {
            OnDialled(Errno.Last);
            return;
        }
        int one = 1;
        Libc.SetSocketOption(_fd, SocketConstants.Tcp, SocketConstants.NoDelay, &one, sizeof(int));
        byte* address = stackalloc byte[28];
        new Span<byte>(address, 28).Clear();
        *(ushort*)address = (ushort)family;
        address[2] = (byte)(_port >> 8);
        address[3] = (byte)_port;
        if (family == SocketConstants.Inet)
            (address[4], address[7]) = (127, 1);
        else
            address[23] = 1;
        int result = Libc.Connect(_fd, address, family == SocketConstants.Inet ? 16u : 28u);
        if (result == 0)
            OnDialled(0);
        else if (Errno.Last == Errno.InProgress)
            Watch(EpollEvents.Out);
        else
            OnDialled(Errno.Last);
    }

    private void OnDialled(int errno)
    {
        if (errno != 0)
        {
            Unwatch();
            _loop.Close(ref _fd);
            if (!_triedIpv6)
            {
                _triedIpv6 = true;
                Dial(SocketConstants.Inet6);
                return;
            }
            // Without IPv6 in the sandbox the second attempt says less than the first: either way nothing listens.
            bool refused = errno is Errno.FamilyUnsupported || Errno.Status(errno) == AgentStatus.ConnectionRefused;
            Finish(
                refused ? AgentStatus.ConnectionRefused : Errno.Status(errno),
                "port " + _port.ToString() + ": " + (refused ? "nothing listens there" : Errno.Describe(errno)));
            return;
        }
        _connected = true;
        Reply([]);
        if (!_early.IsEmpty && !_toPort.Add(_fd, _early.Bytes))
        {
            Finish(AgentStatus.Ok);
            return;
        }
        _early.Dispose();
        OnWritable();
    }

    private int PendingError()
    {
        int error = 0;
        uint length = sizeof(int);
        Libc.GetSocketOption(_fd, SocketConstants.SocketLevel, SocketConstants.ErrorOption, &error, &length);
        return error;
    }

    /// <summary>Passes on a half-close once all is written, ends when both sides have, and watches only what can go on.</summary>
    private void Settle()
    {
        if (!_connected || IsClosed)
            return;
        if (_hostEnded && !_halfClosed && _toPort.IsEmpty)
        {
            _halfClosed = true;
            Libc.Shutdown(_fd, SocketConstants.ShutdownWrite);
        }
        if (_halfClosed && _portEnded)
        {
            Finish(AgentStatus.Ok);
            return;
        }
        Watch((!_portEnded && MayRead ? EpollEvents.In : 0) | (_toPort.IsEmpty ? 0 : EpollEvents.Out));
    }

    private void Watch(uint events)
    {
        if (events == _watched)
            return;
        // A closed peer is reported even when nothing is asked for, so an empty wish must leave the loop.
        if (events == 0)
            Unwatch();
        else if (_watched == 0)
            _loop.Add(_fd, events, this);
        else
            _loop.Change(_fd, events);
        _watched = events;
    }

    private void Unwatch()
    {
        if (_watched != 0)
            _loop.Remove(_fd);
        _watched = 0;
    }

    private void Finish(AgentStatus status, string message = "")
    {
        Close(status, message);
        OnLost();
    }
}
