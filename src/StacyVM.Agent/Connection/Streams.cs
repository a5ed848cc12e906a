using StacyVM.Agent.Linux;

namespace StacyVM.Agent.Connection;

/// <summary>Opens the byte stream to the host: non-blocking, closed on exec, one descriptor for both directions where there is one.</summary>
internal static unsafe class Streams
{
    private const int BufferBytes = 1024 * 1024;
    private const int VsockConnectTimeoutOption = 6;

    /// <summary>The descriptors to read from and to write to; -1 when the host is not there now.</summary>
    internal static (int Input, int Output) Open(DialAddress address)
    {
        int fd = address.Kind switch
        {
            DialKind.Unix => DialUnix(address.Path),
            DialKind.Vsock => DialVsock(address.Cid, address.Port),
            DialKind.Serial => OpenSerial(address.Path),
            _ => -1,
        };
        return address.Kind == DialKind.StandardStreams ? TakeStandardStreams() : (fd, fd);
    }

    private static int DialUnix(LinuxPath path)
    {
        byte* address = stackalloc byte[110];
        uint length = Descriptor.UnixAddress(path.Bytes, new Span<byte>(address, 110));
        if (length == 0)
            throw new OperationFailure(Protocol.Agent.AgentStatus.InvalidPath, "the socket's path is longer than 107 bytes");
        int fd = Libc.Socket(SocketConstants.Unix, SocketConstants.Stream | SocketConstants.CloseOnExec | SocketConstants.NonBlocking, 0);
        if (fd < 0)
            return -1;
        int size = BufferBytes;
        Libc.SetSocketOption(fd, SocketConstants.SocketLevel, SocketConstants.SendBuffer, &size, sizeof(int));
        if (Libc.Connect(fd, address, length) == 0)
            return fd;
        Libc.Close(fd);
        return -1;
    }

    private static int DialVsock(uint cid, uint port)
    {
        int fd = Libc.Socket(SocketConstants.Vsock, SocketConstants.Stream | SocketConstants.CloseOnExec, 0);
        if (fd < 0)
            return -1;
        TimeSpec patience = new() { Seconds = 1 };
        Libc.SetSocketOption(fd, SocketConstants.Vsock, VsockConnectTimeoutOption, &patience, (uint)sizeof(TimeSpec));
        uint* address = stackalloc uint[4] { SocketConstants.Vsock, port, cid, 0 };
        if (Libc.Connect(fd, address, 16) == 0)
        {
            Descriptor.SetNonBlocking(fd);
            return fd;
        }
        Libc.Close(fd);
        return -1;
    }

    private static int OpenSerial(LinuxPath path)
    {
        int fd = Descriptor.Open(path, OpenFlags.ReadWrite | OpenFlags.NoTerminal | OpenFlags.NonBlocking);
        if (fd < 0)
            return -1;
        // A terminal's line discipline would rewrite bytes; virtio ports are no terminals and refuse the request, which is fine.
        uint* attributes = stackalloc uint[16];
        if (Libc.DeviceControl(fd, TerminalRequests.GetAttributes, attributes) == 0)
        {
            attributes[0] = 0;
            attributes[1] = 0;
            attributes[3] = 0;
            Libc.DeviceControl(fd, TerminalRequests.SetAttributes, attributes);
        }
        return fd;
    }

    /// <summary>Moves the standard streams out of reach of commands and leaves <c>/dev/null</c> in their place.</summary>
    private static (int Input, int Output) TakeStandardStreams()
    {
        int input = Libc.Control(0, ControlCommands.DuplicateCloseOnExec, 3);
        int output = Libc.Control(1, ControlCommands.DuplicateCloseOnExec, 3);
        if (input < 0 || output < 0)
            return (-1, -1);
        int none = Descriptor.Open("/dev/null\0"u8, OpenFlags.ReadWrite);
        if (none >= 0)
        {
            Libc.Duplicate(none, 0);
            Libc.Duplicate(none, 1);
            Libc.Close(none);
        }
        Descriptor.SetNonBlocking(input);
        Descriptor.SetNonBlocking(output);
        return (input, output);
    }
}
