using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Processes;

/// <summary>A pseudo-terminal: the agent keeps the master, the command gets the slave.</summary>
internal static unsafe class Terminal
{
    private const ushort DefaultColumns = 80, DefaultRows = 24;

    internal static (int Master, int Slave) Open(ushort columns, ushort rows, uint user)
    {
        int master = Descriptor.Open("/dev/ptmx\0"u8, OpenFlags.ReadWrite | OpenFlags.NoTerminal);
        if (master < 0)
            throw new OperationFailure(Descriptor.LastStatus, "no pseudo-terminal: /dev/ptmx: " + Errno.Describe(Errno.Last));
        int unlocked = 0;
        Libc.DeviceControl(master, TerminalRequests.UnlockSlave, &unlocked);
        SetSize(master, columns == 0 ? DefaultColumns : columns, rows == 0 ? DefaultRows : rows);
        int slave = OpenSlave(master);
        if (slave < 0)
        {
            int errno = Errno.Last;
            Libc.Close(master);
            throw new OperationFailure(Errno.Status(errno), "no pseudo-terminal: " + Errno.Describe(errno));
        }
        if (user != StartProcessRequest.Inherit)
            Libc.ChangeOwner(slave, user, uint.MaxValue);
        return (master, slave);
    }

    internal static void SetSize(int master, ushort columns, ushort rows)
    {
        ushort* size = stackalloc ushort[4] { rows, columns, 0, 0 };
        Libc.DeviceControl(master, TerminalRequests.SetSize, size);
    }

    /// <summary>The process group that Ctrl-C would reach; 0 when there is none.</summary>
    internal static int ForegroundGroup(int master)
    {
        int group = 0;
        return Libc.DeviceControl(master, TerminalRequests.GetForegroundGroup, &group) == 0 ? group : 0;
    }

    private static int OpenSlave(int master)
    {
        const int flags = OpenFlags.ReadWrite | OpenFlags.NoTerminal | OpenFlags.CloseOnExec;
        // By the master itself, whatever is mounted on /dev/pts; by name where the kernel does not know that request.
        int slave = Libc.DeviceControl(master, TerminalRequests.OpenSlave, (void*)flags);
        if (slave >= 0)
            return slave;
        uint number = 0;
        if (Libc.DeviceControl(master, TerminalRequests.GetSlaveNumber, &number) != 0)
            return -1;
        return Descriptor.Open(LinuxPath.Of(System.Text.Encoding.UTF8.GetBytes("/dev/pts/" + number.ToString())), flags);
    }
}
