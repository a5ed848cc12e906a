using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Linux;

/// <summary>Small steps with file descriptors that several concerns share.</summary>
internal static unsafe class Descriptor
{
    /// <summary>Closes and forgets a descriptor; -1 is none.</summary>
    internal static void Close(ref int fd)
    {
        if (fd >= 0)
            Libc.Close(fd);
        fd = -1;
    }

    internal static void SetNonBlocking(int fd) =>
        Libc.Control(fd, ControlCommands.SetFlags, Libc.Control(fd, ControlCommands.GetFlags, 0) | OpenFlags.NonBlocking);

    internal static (int Read, int Write) Pipe()
    {
        int* pair = stackalloc int[2];
        return Libc.Pipe(pair, OpenFlags.CloseOnExec) == 0 ? (pair[0], pair[1]) : throw OperationFailure.Of(Errno.Last, "pipe");
    }

    internal static int Open(LinuxPath path, int flags, uint mode = 0)
    {
        fixed (byte* p = path.Terminated)
            return Libc.OpenAt(At.WorkingDirectory, p, flags | OpenFlags.CloseOnExec, mode);
    }

    internal static int Open(ReadOnlySpan<byte> terminated, int flags)
    {
        fixed (byte* p = terminated)
            return Libc.OpenAt(At.WorkingDirectory, p, flags | OpenFlags.CloseOnExec, 0);
    }

    /// <summary>Reads a small file of <c>/proc</c> in one call; the length, or -1.</summary>
    internal static int ReadSmall(ReadOnlySpan<byte> terminated, Span<byte> buffer)
    {
        int fd = Open(terminated, OpenFlags.ReadOnly);
        if (fd < 0)
            return -1;
        int length;
        fixed (byte* p = buffer)
            length = (int)Libc.Read(fd, p, (nuint)buffer.Length);
        Libc.Close(fd);
        return length;
    }

    /// <summary>One line to standard error, where whoever started the agent may read it.</summary>
    internal static void Complain(string line) => WriteLine(2, "stacyvm-agent: " + line);

    internal static void Print(string line) => WriteLine(1, line);

    private static void WriteLine(int fd, string line)
    {
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(line + "\n");
        fixed (byte* p = bytes)
            Libc.Write(fd, p, (nuint)bytes.Length);
    }

    /// <summary>The address of a Unix socket; its length, or 0 when the path does not fit.</summary>
    internal static uint UnixAddress(ReadOnlySpan<byte> path, Span<byte> address)
    {
        if (path.Length is 0 or > 107)
            return 0;
        address.Clear();
        address[0] = SocketConstants.Unix;
        path.CopyTo(address[2..]);
        return (uint)(path.Length + 3);
    }

    internal static AgentStatus LastStatus => Errno.Status(Errno.Last);
}
