using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Guests;

/// <summary>
/// The first process of a machine. It finds nothing but a kernel, its modules and two disks, makes a system of them and is the agent from then
/// on. Which sandbox it is comes from the host, over the port: until then a machine is like any other of its image and size.
/// </summary>
internal static unsafe class GuestInit
{
    /// <summary>Where the initial file system has its modules, in the order in which they are loaded.</summary>
    private const string ModuleList = "/modules/order";

    private const string RootDisk = "/dev/vda", WritableDisk = "/dev/vdb", Port = "vport0p1";
    private const string Root = "/root";
    private const string AgentPort = "/dev/stacyvm-agent";
    private const int Milliseconds = 15_000;
    private const long RebootCall = 169, MagicFirst = 0xfee1dead, MagicSecond = 672_274_793, Restart = 0x01234567;
    private const nuint InterfaceFlags = 0x8913, SetInterfaceFlags = 0x8914;

    /// <summary>
    /// 1 the kernel's file systems, 2 its modules, 3 the image, read-only, below what the sandbox may write, 4 devices and directories that
    /// every sandbox has, 5 a switch to that root, 6 the agent.
    /// </summary>
    /// <param name="arguments">What the kernel passes on; <c>trial</c>: say that it works, and end.</param>
    internal static int Run(ReadOnlySpan<string> arguments)
    {
        try
        {
            if (arguments is ["trial"])
                Descriptor.Print(AgentProtocol.TrialAnswer);
            else
                Start();
        }
        catch (OperationFailure failure)
        {
            Descriptor.Complain(failure.Message);
        }
        // The end of the first process would be a panic of the kernel. The monitor takes a restart for the end.
        Libc.SystemCall6(RebootCall, MagicFirst, MagicSecond, Restart, 0, 0, 0);
        return 1;
    }

    private static void Start()
    {
        // 1.
        foreach (string directory in (string[])["/proc", "/sys", "/dev", "/lower", "/upper", Root])
            GuestFiles.MakeDirectory(directory);
        GuestFiles.Mount("proc", "/proc", "proc", GuestFiles.NoSuid | GuestFiles.NoDevices | GuestFiles.NoExecution);
        GuestFiles.Mount("sysfs", "/sys", "sysfs", GuestFiles.NoSuid | GuestFiles.NoDevices | GuestFiles.NoExecution);
        GuestFiles.Mount("devtmpfs", "/dev", "devtmpfs", GuestFiles.NoSuid);

        // 2.
        KernelModules.Load(ModuleList);

        // 3.
        Await(RootDisk);
        Await(WritableDisk);
        GuestFiles.Mount(RootDisk, "/lower", "erofs", GuestFiles.ReadOnly | GuestFiles.NoSuid | GuestFiles.NoDevices);
        GuestFiles.Mount(WritableDisk, "/upper", "ext4", GuestFiles.NoSuid | GuestFiles.NoDevices | GuestFiles.NoAccessTimes);
        GuestFiles.MakeDirectory("/upper/data");
        GuestFiles.MakeDirectory("/upper/work");
        GuestFiles.Mount("overlay", Root, "overlay", GuestFiles.NoSuid | GuestFiles.NoDevices, "lowerdir=/lower,upperdir=/upper/data,workdir=/upper/work");

        // 4.
        MakeSystem();

        // 5. The initial file system is memory: what was in it is not needed again.
        foreach (string file in (string[])["/init", .. KernelModules.Files(ModuleList), ModuleList])
            GuestFiles.Remove(file);
        ChangeDirectory(Root);
        GuestFiles.Mount(".", "/", null, GuestFiles.Moved);
        fixed (byte* here = ".\0"u8)
        {
            if (Libc.ChangeRoot(here) != 0)
                throw OperationFailure.Of(Errno.Last, "cannot change the root");
        }
        ChangeDirectory("/");

        // 6.
        new SandboxAgent(AgentOptions.OfGuest(AgentPort, CommandGroup.JoinFile)).Run();
    }

    private static void MakeSystem()
    {
        foreach (string directory in (string[])["dev", "proc", "run", "sys", "etc"])
            GuestFiles.MakeDirectory($"{Root}/{directory}");
        foreach (string directory in (string[])["tmp", "workspace"])
            GuestFiles.MakeDirectory($"{Root}/{directory}", directory == "tmp" ? GuestFiles.Everyones : GuestFiles.Searchable);
        GuestFiles.Mount("proc", Root + "/proc", "proc", GuestFiles.NoSuid | GuestFiles.NoDevices | GuestFiles.NoExecution);
        GuestFiles.Mount("sysfs", Root + "/sys", "sysfs", GuestFiles.ReadOnly | GuestFiles.NoSuid | GuestFiles.NoDevices | GuestFiles.NoExecution);
        GuestFiles.Mount("tmpfs", Root + "/run", "tmpfs", GuestFiles.NoSuid | GuestFiles.NoDevices, "mode=755,size=16m");
        MakeDevices(Root + "/dev");
        CommandGroup.Make(Root);
        RaiseLoopback();
        // The kernel's own log tells about the machine and not about the sandbox.
        GuestFiles.TryWrite("/proc/sys/kernel/dmesg_restrict", "1");
        GuestFiles.TryWrite("/proc/sys/kernel/kptr_restrict", "2");
    }

    /// <summary>Not the kernel's own collection of devices, which has the disks in it.</summary>
    private static void MakeDevices(string dev)
    {
        GuestFiles.Mount("tmpfs", dev, "tmpfs", GuestFiles.NoSuid | GuestFiles.NoExecution, "mode=755,size=1m");
        foreach ((string name, uint minor) in ((string, uint)[])[("null", 3), ("zero", 5), ("full", 7), ("random", 8), ("urandom", 9)])
            GuestFiles.MakeDevice($"{dev}/{name}", 0x1B6, 1, minor);
        GuestFiles.MakeDevice(dev + "/tty", 0x1B6, 5, 0);
        foreach ((string name, string target) in ((string, string)[])[("fd", "/proc/self/fd"), ("stdin", "fd/0"), ("stdout", "fd/1"), ("stderr", "fd/2"), ("ptmx", "pts/ptmx")])
            GuestFiles.Link(target, $"{dev}/{name}");
        GuestFiles.MakeDirectory(dev + "/pts");
        GuestFiles.Mount("devpts", dev + "/pts", "devpts", GuestFiles.NoSuid | GuestFiles.NoExecution, "newinstance,ptmxmode=0666,mode=620");
        GuestFiles.MakeDirectory(dev + "/shm", GuestFiles.Everyones);
        GuestFiles.Mount("tmpfs", dev + "/shm", "tmpfs", GuestFiles.NoSuid | GuestFiles.NoDevices, "mode=1777");
        string numbers = $"/sys/class/virtio-ports/{Port}/dev";
        Await(numbers);
        if (!GuestFiles.TryRead(numbers, out string text) || text.Trim().Split(':') is not [string major, string minorText])
            throw new OperationFailure(AgentStatus.NotFound, numbers + " makes no sense");
        GuestFiles.MakeDevice(Root + AgentPort, 0x180, uint.Parse(major), uint.Parse(minorText));
    }

    /// <summary>Sandboxes serve on it, also where there is no other network.</summary>
    private static void RaiseLoopback()
    {
        int socket = Libc.Socket(SocketConstants.Inet, 2 | SocketConstants.CloseOnExec, 0);
        // struct ifreq: the name, then flags.
        byte* request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        request[0] = (byte)'l';
        request[1] = (byte)'o';
        if (Libc.DeviceControl(socket, InterfaceFlags, request) == 0)
        {
            *(ushort*)(request + 16) |= 1;
            Libc.DeviceControl(socket, SetInterfaceFlags, request);
        }
        Libc.Close(socket);
    }

    /// <summary>A driver finds its devices a moment after it was loaded.</summary>
    private static void Await(string path)
    {
        long end = Clock.Microseconds + Milliseconds * 1000L;
        while (!GuestFiles.Exists(path))
        {
            if (Clock.Microseconds > end)
                throw new OperationFailure(AgentStatus.NotFound, path + " does not appear");
            Libc.Poll(null, 0, 1);
        }
    }

    private static void ChangeDirectory(string path)
    {
        fixed (byte* p = GuestFiles.Terminated(path))
        {
            if (ForkCalls.ChangeDirectory(p) != 0)
                throw OperationFailure.Of(*ForkCalls.ErrnoLocation(), path);
        }
    }
}
