namespace StacyVM.Engine.Linux.Seccomp;

/// <summary>
/// The system calls that a sandbox sharing the host's kernel may make. Ordinary programs, compilers, browsers, debuggers within the
/// sandbox: yes. The parts of the kernel where escapes come from and that code in a sandbox has no use for: no.
/// </summary>
internal static class SeccompFilter
{
    public const uint Allow = 0x7FFF0000;
    public const uint KillProcess = 0x80000000;

    private const uint Errno = 0x00050000;
    public const uint NotPermitted = Errno | 1;
    public const uint NoSuchCall = Errno | 38;
    public const uint FamilyNotSupported = Errno | 97;
    public const uint ProtocolNotSupported = Errno | 93;

    private const uint NumberOffset = 0;
    private const uint ArchitectureOffset = 4;

    /// <summary>CLONE_NEW* of every namespace but time, whose bit is part of the exit signal in <c>clone</c>.</summary>
    private const uint NewNamespaces = 0x7E020000;
    private const uint NewTimeNamespace = 0x80;

    private const uint FamilyUnix = 1, FamilyInternet = 2, FamilyInternet6 = 10, FamilyNetlink = 16;
    private const uint NetlinkRoute = 0, NetlinkDeviceEvents = 15;
    private const uint PushTerminalInput = 0x5412, ConsoleControl = 0x541C;

    private static readonly string[] Denied =
    [
        "mount", "umount2", "pivot_root", "chroot", "fsopen", "fsconfig", "fsmount", "fspick", "open_tree", "move_mount", "mount_setattr",
        "statmount", "listmount", "setns", "bpf", "userfaultfd", "perf_event_open", "keyctl", "add_key", "request_key",
        "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module", "create_module", "get_kernel_syms", "query_module",
        "open_by_handle_at", "name_to_handle_at", "swapon", "swapoff", "reboot", "settimeofday", "clock_settime", "adjtimex", "clock_adjtime",
        "sethostname", "setdomainname", "iopl", "ioperm", "modify_ldt", "quotactl", "quotactl_fd", "acct", "fanotify_init", "fanotify_mark",
        "lookup_dcookie", "syslog", "vhangup", "uselib", "ustat", "sysfs", "_sysctl", "nfsservctl",
        "mbind", "set_mempolicy", "set_mempolicy_home_node", "migrate_pages", "move_pages",
    ];

    /// <summary>
    /// Calls that programs must believe to be missing: their C library then takes the older way, which can be looked into. The arguments
    /// of <c>clone3</c> lie in memory, out of a filter's sight.
    /// </summary>
    private static readonly string[] Missing = ["clone3", "io_uring_setup", "io_uring_enter", "io_uring_register"];

    /// <summary>The program, as <c>bwrap --seccomp</c> reads it.</summary>
    public static byte[] Build(SyscallTable table)
    {
        var program = new BpfProgram();

        // 1. Another architecture's calls (32-bit programs) have other numbers: no rule below would mean what it says.
        program.Load(ArchitectureOffset);
        program.Jump(BpfProgram.JumpEqual, table.Architecture, 1, 0);
        program.End(KillProcess);

        // 2. Calls newer than this table, and with them those of the x32 interface, whose numbers begin at 2^30.
        program.Load(NumberOffset);
        program.Jump(BpfProgram.JumpGreaterOrEqual, table.Newest + 1, 0, 1);
        program.End(NoSuchCall);

        // 3. Calls with a fixed answer.
        foreach (string name in Missing)
            Fixed(program, table, name, NoSuchCall);
        foreach (string name in Denied)
            Fixed(program, table, name, NotPermitted);

        // 4. Calls that hang on an argument. Each block begins with its number, leaves the number loaded for the next one, and ends in a verdict.
        foreach (string name in new[] { "socket", "socketpair" })
            Block(program, table, name, Sockets);
        Block(program, table, "clone", block => DenyBits(block, argument: 0, NewNamespaces));
        Block(program, table, "unshare", block => DenyBits(block, argument: 0, NewNamespaces | NewTimeNamespace));
        Block(program, table, "ioctl", block => DenyValues(block, argument: 1, PushTerminalInput, ConsoleControl));
        Block(program, table, "personality", block => AllowValues(block, argument: 0, NotPermitted, 0, 8, 0x20000, 0x20008, uint.MaxValue));

        // 5. All else.
        program.End(Allow);
        return program.ToArray();
    }

    private static void Fixed(BpfProgram program, SyscallTable table, string name, uint verdict)
    {
        if (!table.Numbers.TryGetValue(name, out uint number))
            return;
        program.Jump(BpfProgram.JumpEqual, number, 0, 1);
        program.End(verdict);
    }

    private static void Block(BpfProgram program, SyscallTable table, string name, Action<BpfProgram> rules)
    {
        if (!table.Numbers.TryGetValue(name, out uint number))
            return;
        var block = new BpfProgram();
        rules(block);
        program.Jump(BpfProgram.JumpEqual, number, 0, checked((byte)block.Count));
        program.Append(block);
    }

    private static void Sockets(BpfProgram block)
    {
        block.Load(Argument(0));
        foreach (uint family in new[] { FamilyUnix, FamilyInternet, FamilyInternet6 })
        {
            block.Jump(BpfProgram.JumpEqual, family, 0, 1);
            block.End(Allow);
        }
        block.Jump(BpfProgram.JumpEqual, FamilyNetlink, 1, 0);
        block.End(FamilyNotSupported);
        AllowValues(block, argument: 2, ProtocolNotSupported, NetlinkRoute, NetlinkDeviceEvents);
    }

    private static void DenyBits(BpfProgram block, int argument, uint bits)
    {
        block.Load(Argument(argument));
        block.Jump(BpfProgram.JumpAnySet, bits, 0, 1);
        block.End(NotPermitted);
        block.End(Allow);
    }

    private static void DenyValues(BpfProgram block, int argument, params ReadOnlySpan<uint> values)
    {
        block.Load(Argument(argument));
        foreach (uint value in values)
        {
            block.Jump(BpfProgram.JumpEqual, value, 0, 1);
            block.End(NotPermitted);
        }
        block.End(Allow);
    }

    private static void AllowValues(BpfProgram block, int argument, uint otherwise, params ReadOnlySpan<uint> values)
    {
        block.Load(Argument(argument));
        foreach (uint value in values)
        {
            block.Jump(BpfProgram.JumpEqual, value, 0, 1);
            block.End(Allow);
        }
        block.End(otherwise);
    }

    /// <summary>
    /// The lower half of an argument. The kernel itself looks at no more of the values that are compared here: all are ints, or flags
    /// within 32 bits.
    /// </summary>
    private static uint Argument(int index) => (uint)(16 + (8 * index));
}
