using System.Buffers;
using System.Text;
using System.Text.Json;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>
/// The profile behind <c>default</c>: a list of what is allowed, narrower than the daemon's own. Beside what that one refuses, there is no
/// io_uring, no kernel crypto sockets (AF_ALG), no sockets but Unix, IP and netlink ones, and no NUMA or 32-bit calls. It is the same on
/// every daemon, however old.
/// </summary>
internal static class HardenedSeccomp
{
    private const int NotPermitted = 1;
    private const int NoSuchCall = 38;

    /// <summary>CLONE_NEW* of every namespace.</summary>
    private const ulong NewNamespaces = 0x7E020000;

    private static readonly int[] SocketFamilies = [1, 2, 10, 16];

    /// <summary>What runs ordinary programs: native, other execution domains' read-only stack rules, and the question which it is.</summary>
    private static readonly ulong[] Personalities = [0, 8, 0x20000, 0x20008, 0xFFFFFFFF];

    private const string Allowed =
        """
        accept accept4 access alarm arch_prctl bind brk cachestat capget capset chdir chmod chown clock_getres clock_gettime clock_nanosleep close
        close_range connect copy_file_range creat dup dup2 dup3 epoll_create epoll_create1 epoll_ctl epoll_pwait epoll_pwait2 epoll_wait eventfd
        eventfd2 execve execveat exit exit_group faccessat faccessat2 fadvise64 fallocate fchdir fchmod fchmodat fchmodat2 fchown fchownat fcntl
        fdatasync fgetxattr flistxattr flock fork fremovexattr fsetxattr fstat fstatfs fsync ftruncate futex futex_requeue futex_wait futex_waitv
        futex_wake futimesat get_mempolicy get_robust_list get_thread_area getcpu getcwd getdents getdents64 getegid geteuid getgid getgroups
        getitimer getpeername getpgid getpgrp getpid getppid getpriority getrandom getresgid getresuid getrlimit getrusage getsid getsockname
        getsockopt gettid gettimeofday getuid getxattr getxattrat inotify_add_watch inotify_init inotify_init1 inotify_rm_watch io_cancel io_destroy
        io_getevents io_pgetevents io_setup io_submit ioctl ioprio_get ioprio_set kill landlock_add_rule landlock_create_ruleset
        landlock_restrict_self lchown lgetxattr link linkat listen listxattr listxattrat llistxattr lremovexattr lseek lsetxattr lstat madvise
        map_shadow_stack membarrier memfd_create memfd_secret mincore mkdir mkdirat mknod mknodat mlock mlock2 mlockall mmap mprotect mq_getsetattr
        mq_notify mq_open mq_timedreceive mq_timedsend mq_unlink mremap mseal msgctl msgget msgrcv msgsnd msync munlock munlockall munmap nanosleep
        newfstatat open openat openat2 pause pidfd_getfd pidfd_open pidfd_send_signal pipe pipe2 pkey_alloc pkey_free pkey_mprotect poll ppoll prctl
        pread64 preadv preadv2 prlimit64 process_mrelease process_vm_readv process_vm_writev pselect6 ptrace pwrite64 pwritev pwritev2 read
        readahead readlink readlinkat readv recvfrom recvmmsg recvmsg remap_file_pages removexattr removexattrat rename renameat renameat2
        restart_syscall rmdir rseq rt_sigaction rt_sigpending rt_sigprocmask rt_sigqueueinfo rt_sigreturn rt_sigsuspend rt_sigtimedwait
        rt_tgsigqueueinfo sched_get_priority_max sched_get_priority_min sched_getaffinity sched_getattr sched_getparam sched_getscheduler
        sched_rr_get_interval sched_setaffinity sched_setattr sched_setparam sched_setscheduler sched_yield seccomp select semctl semget semop
        semtimedop sendfile sendmmsg sendmsg sendto set_robust_list set_thread_area set_tid_address setfsgid setfsuid setgid setgroups setitimer
        setpgid setpriority setregid setresgid setresuid setreuid setrlimit setsid setsockopt setuid setxattr setxattrat shmat shmctl shmdt shmget
        shutdown sigaltstack signalfd signalfd4 socketpair splice stat statfs statx symlink symlinkat sync sync_file_range syncfs sysinfo tee tgkill
        time timer_create timer_delete timer_getoverrun timer_gettime timer_settime timerfd_create timerfd_gettime timerfd_settime times tkill
        truncate umask uname unlink unlinkat utime utimensat utimes vfork vmsplice wait4 waitid write writev
        """;

    private static readonly Lazy<string> Rendered = new(Render);

    /// <summary>In the daemon's own format.</summary>
    public static string Json => Rendered.Value;

    private static string Render()
    {
        var buffer = new ArrayBufferWriter<byte>(16 * 1024);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("defaultAction", "SCMP_ACT_ERRNO");
            json.WriteNumber("defaultErrnoRet", NotPermitted);

            // No sub-architectures: the 32-bit table multiplexes socket calls behind a pointer, where no argument can be looked at.
            json.WriteStartArray("archMap");
            Architecture(json, "SCMP_ARCH_X86_64");
            Architecture(json, "SCMP_ARCH_AARCH64");
            json.WriteEndArray();

            json.WriteStartArray("syscalls");
            Rule(json, Allowed.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            foreach (int family in SocketFamilies)
                Rule(json, ["socket"], "SCMP_CMP_EQ", (ulong)family);
            foreach (ulong personality in Personalities)
                Rule(json, ["personality"], "SCMP_CMP_EQ", personality);
            Rule(json, ["clone"], "SCMP_CMP_MASKED_EQ", NewNamespaces, 0);
            // The arguments of clone3 lie in memory, out of a filter's sight: the C library takes clone instead.
            Rule(json, ["clone3"], action: "SCMP_ACT_ERRNO", errno: NoSuchCall);
            json.WriteEndArray();
            json.WriteEndObject();
        }
        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    private static void Architecture(Utf8JsonWriter json, string name)
    {
        json.WriteStartObject();
        json.WriteString("architecture", name);
        json.WriteStartArray("subArchitectures");
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Rule(
        Utf8JsonWriter json, string[] names, string? comparison = null, ulong value = 0, ulong valueTwo = 0, string action = "SCMP_ACT_ALLOW", int errno = 0)
    {
        json.WriteStartObject();
        json.WriteStartArray("names");
        foreach (string name in names)
            json.WriteStringValue(name);
        json.WriteEndArray();
        json.WriteString("action", action);
        if (errno != 0)
            json.WriteNumber("errnoRet", errno);
        json.WriteStartArray("args");
        if (comparison is not null)
        {
            json.WriteStartObject();
            json.WriteNumber("index", 0);
            json.WriteNumber("value", value);
            json.WriteNumber("valueTwo", valueTwo);
            json.WriteString("op", comparison);
            json.WriteEndObject();
        }
        json.WriteEndArray();
        json.WriteEndObject();
    }
}
