using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Connection;

/// <summary>
/// Joins this program's standard streams with the agent of the sandbox it is started in: listens where that agent dials, takes one
/// connection, and carries bytes both ways until one side ends. For hosts whose only way in is an exec of the runtime.
/// </summary>
internal static unsafe class Bridge
{
    private const int BufferBytes = 256 * 1024;
    private const int SeenByAll = 0x1B6;
    private const short ReadyToRead = 1, ReadyToWrite = 4, Ended = 0x18;

    internal static void Run(DialAddress address)
    {
        if (address.Kind != DialKind.Unix)
            throw new OperationFailure(AgentStatus.InvalidArgument, "connect needs unix:/path");
        SignalAction ignore = new() { Handler = 1 };
        Libc.SetSignalAction(Signals.Pipe, &ignore, null);
        int socket = AcceptOne(address.Path);
        // Neither direction may wait for the other: a host that is busy writing reads later.
        Descriptor.SetNonBlocking(0);
        Descriptor.SetNonBlocking(1);
        Descriptor.SetNonBlocking(socket);
        var inward = new Pump(0, socket);
        var outward = new Pump(socket, 1);
        PollEntry* entries = stackalloc PollEntry[4];
        while (!outward.HasEnded && !inward.HasEnded)
        {
            entries[0] = inward.Source(ReadyToRead);
            entries[1] = inward.Sink(ReadyToWrite);
            entries[2] = outward.Source(ReadyToRead);
            entries[3] = outward.Sink(ReadyToWrite);
            // An end that is closed while nothing is wanted of it would otherwise be seen too late.
            if (Libc.Poll(entries, 4, -1) < 0 && Errno.Last != Errno.Interrupted)
                return;
            if (((entries[0].Ready | entries[1].Ready) & (ReadyToRead | ReadyToWrite | Ended)) != 0)
                inward.Step();
            if (((entries[2].Ready | entries[3].Ready) & (ReadyToRead | ReadyToWrite | Ended)) != 0)
                outward.Step();
        }
    }

    private static int AcceptOne(LinuxPath path)
    {
        byte* address = stackalloc byte[110];
        uint length = Descriptor.UnixAddress(path.Bytes, new Span<byte>(address, 110));
        if (length == 0)
            throw new OperationFailure(AgentStatus.InvalidPath, "the socket's path is longer than 107 bytes");
        int listener = Libc.Socket(SocketConstants.Unix, SocketConstants.Stream | SocketConstants.CloseOnExec, 0);
        fixed (byte* name = path.Terminated)
        {
            Libc.UnlinkAt(At.WorkingDirectory, name, 0);
            if (Libc.Bind(listener, address, length) != 0 || Libc.Listen(listener, 1) != 0)
                throw OperationFailure.Of(Errno.Last, path.ToString());
            Libc.ChangeModeAt(At.WorkingDirectory, name, SeenByAll, 0);
            // The caller may be gone before the agent comes: then there is no one to connect.
            PollEntry* waits = stackalloc PollEntry[2];
            waits[0] = new PollEntry { Descriptor = listener, Wanted = ReadyToRead };
            waits[1] = new PollEntry { Descriptor = 0 };
            Libc.Poll(waits, 2, -1);
            int socket = waits[0].Ready != 0 ? Libc.Accept(listener, null, null, SocketConstants.CloseOnExec) : -1;
            Libc.UnlinkAt(At.WorkingDirectory, name, 0);
            Libc.Close(listener);
            return socket >= 0 ? socket : throw new OperationFailure(AgentStatus.Cancelled, "no agent came");
        }
    }

    /// <summary>One direction: reads when it holds nothing, writes when it holds something.</summary>
    private sealed class Pump(int source, int sink)
    {
        private readonly ByteQueue _held = new();

        internal bool HasEnded { get; private set; }

        internal PollEntry Source(short wanted) => new() { Descriptor = _held.IsEmpty ? source : -1, Wanted = wanted };

        internal PollEntry Sink(short wanted) => new() { Descriptor = _held.IsEmpty ? -1 : sink, Wanted = wanted };

        internal void Step()
        {
            if (_held.IsEmpty)
            {
                nint read = Libc.Read(source, _held.Reserve(BufferBytes), BufferBytes);
                if (read > 0)
                    _held.Commit((int)read);
                else
                    HasEnded = read == 0 || Errno.Last is not (Errno.TryAgain or Errno.Interrupted);
                return;
            }
            nint written = Libc.Write(sink, _held.First, (nuint)_held.Count);
            if (written > 0)
                _held.Take((int)written);
            else
                HasEnded = Errno.Last is not (Errno.TryAgain or Errno.Interrupted);
        }
    }
}
