using System.Collections.Frozen;
using System.Runtime.InteropServices;

namespace StacyVM.Engine.Linux.Seccomp;

/// <summary>Numbers of one architecture's system calls, as far as the filter speaks of them.</summary>
/// <param name="Architecture">The <c>AUDIT_ARCH_*</c> value that the kernel reports.</param>
/// <param name="Newest">The newest call that was looked at; whatever is above it does not exist for a sandbox.</param>
/// <param name="Numbers">Name → number. A name that is missing does not exist on the architecture.</param>
internal sealed record SyscallTable(uint Architecture, uint Newest, FrozenDictionary<string, uint> Numbers)
{
    /// <summary>The table of this machine; null where none has been written yet.</summary>
    public static SyscallTable? Current => RuntimeInformation.ProcessArchitecture == System.Runtime.InteropServices.Architecture.X64 ? X64 : null;

    /// <summary>Calls from here on have the same number everywhere.</summary>
    private static readonly KeyValuePair<string, uint>[] Common =
    [
        new("io_uring_setup", 425), new("io_uring_enter", 426), new("io_uring_register", 427), new("open_tree", 428),
        new("move_mount", 429), new("fsopen", 430), new("fsconfig", 431), new("fsmount", 432), new("fspick", 433),
        new("clone3", 435), new("mount_setattr", 442), new("quotactl_fd", 443), new("set_mempolicy_home_node", 450),
        new("statmount", 457), new("listmount", 458),
    ];

    public static SyscallTable X64 { get; } = new(
        0xC000003E,
        466,
        new KeyValuePair<string, uint>[]
        {
            new("ioctl", 16), new("socket", 41), new("socketpair", 53), new("clone", 56), new("syslog", 103), new("uselib", 134),
            new("personality", 135), new("ustat", 136), new("sysfs", 139), new("vhangup", 153), new("modify_ldt", 154),
            new("pivot_root", 155), new("_sysctl", 156), new("adjtimex", 159), new("chroot", 161), new("acct", 163),
            new("settimeofday", 164), new("mount", 165), new("umount2", 166), new("swapon", 167), new("swapoff", 168),
            new("reboot", 169), new("sethostname", 170), new("setdomainname", 171), new("iopl", 172), new("ioperm", 173),
            new("create_module", 174), new("init_module", 175), new("delete_module", 176), new("get_kernel_syms", 177),
            new("query_module", 178), new("quotactl", 179), new("nfsservctl", 180), new("lookup_dcookie", 212),
            new("clock_settime", 227), new("mbind", 237), new("set_mempolicy", 238), new("kexec_load", 246), new("add_key", 248),
            new("request_key", 249), new("keyctl", 250), new("migrate_pages", 256), new("unshare", 272), new("move_pages", 279),
            new("perf_event_open", 298), new("fanotify_init", 300), new("fanotify_mark", 301), new("name_to_handle_at", 303),
            new("open_by_handle_at", 304), new("clock_adjtime", 305), new("setns", 308), new("finit_module", 313),
            new("kexec_file_load", 320), new("bpf", 321), new("userfaultfd", 323),
        }.Concat(Common).ToFrozenDictionary());
}
