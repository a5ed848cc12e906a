using System.Text;
using StacyVM.Agent.Linux;
using StacyVM.Protocol.Agent;

namespace StacyVM.Agent.Guests;

/// <summary>Takes on what the host says that this machine is.</summary>
internal static unsafe class GuestIdentity
{
    private const nuint AddEntropy = 0x40085203, ReseedGenerator = 0x5207;
    private const long SetHostName = 170, SetClock = 227;
    private const int MostEntropy = 512;

    private static NativeArena? _environment;

    /// <summary>
    /// 1 randomness, before anything else could draw on what a copy of this machine has, too, 2 the clock, 3 names, 4 who commands are and
    /// what bounds them, 5 on they go.
    /// </summary>
    internal static void Take(IdentityRequest request, AgentOptions options)
    {
        Check(request);
        // 1. and 2.
        Reseed(request.Entropy);
        TimeSpec now = new() { Seconds = request.UnixMicroseconds / 1_000_000, Nanoseconds = request.UnixMicroseconds % 1_000_000 * 1000 };
        if (Libc.SystemCall(SetClock, 0, (long)&now, 0) != 0)
            throw OperationFailure.Of(Errno.Last, "cannot set the clock");

        // 3.
        byte[] name = Encoding.UTF8.GetBytes(request.SandboxId);
        fixed (byte* n = name)
        {
            if (Libc.SystemCall(SetHostName, (long)n, name.Length, 0) != 0)
                throw OperationFailure.Of(Errno.Last, "cannot set the host's name");
        }
        WriteFiles(request);

        // 4.
        options.Token = request.Token;
        (options.User, options.Group) = (request.User, request.Group);
        options.WorkingDirectory = LinuxPath.Parse(Encoding.UTF8.GetBytes(request.WorkingDirectory), LinuxPath.Of("/"u8));
        SetEnvironment(request.Environment, options);
        CommandGroup.Bound(request.Processes, request.MemoryBytes);

        // 5.
        CommandGroup.Hold(false);
    }

    private static void Check(IdentityRequest request)
    {
        bool files = request.Files.All(file => file.Key.Length > 0 && !file.Key.Contains('/') && !file.Key.Contains('\0'));
        bool names = request.SandboxId.Length is > 0 and <= 64 && request.WorkingDirectory.StartsWith('/');
        if (!files || !names || request.Entropy.Length is < 32 or > MostEntropy)
            throw new OperationFailure(AgentStatus.InvalidArgument, "the identity makes no sense");
    }

    private static void Reseed(byte[] entropy)
    {
        int device = Descriptor.Open("/dev/urandom\0"u8, OpenFlags.ReadWrite);
        // struct rand_pool_info: bits, bytes, the bytes themselves.
        int* pool = stackalloc int[2 + MostEntropy / sizeof(int)];
        pool[0] = entropy.Length * 8;
        pool[1] = entropy.Length;
        entropy.CopyTo(new Span<byte>(pool + 2, MostEntropy));
        bool reseeded = device >= 0 && Libc.DeviceControl(device, AddEntropy, pool) == 0 && Libc.DeviceControl(device, ReseedGenerator, null) == 0;
        int reason = Errno.Last;
        Libc.Close(device);
        if (!reseeded)
            throw OperationFailure.Of(reason, "cannot reseed the generator of random numbers");
    }

    /// <summary>As the sandbox's user, whose files these are: in a machine that has run before, any of these paths may be a trap.</summary>
    private static void WriteFiles(IdentityRequest request)
    {
        GuestFiles.Own("/workspace", request.User, request.Group);
        Libc.SystemCall(CallNumbers.SetFileGroup, request.Group, 0, 0);
        Libc.SystemCall(CallNumbers.SetFileUser, request.User, 0, 0);
        GuestFiles.Replace("/etc/hostname", request.SandboxId + "\n", 0x1A4);
        GuestFiles.Replace("/etc/machine-id", request.MachineId + "\n", 0x124);
        foreach ((string name, string content) in request.Files)
            GuestFiles.Replace("/etc/" + name, content, 0x1A4);
        MakeWorkingDirectory(request.WorkingDirectory);
        Libc.SystemCall(CallNumbers.SetFileUser, 0, 0, 0);
        Libc.SystemCall(CallNumbers.SetFileGroup, 0, 0, 0);
    }

    private static void MakeWorkingDirectory(string path)
    {
        for (int slash = path.IndexOf('/', 1); ; slash = path.IndexOf('/', slash + 1))
        {
            fixed (byte* p = GuestFiles.Terminated(slash < 0 ? path : path[..slash]))
                Libc.MakeDirectoryAt(At.WorkingDirectory, p, GuestFiles.Searchable);
            if (slash < 0)
                return;
        }
    }

    private static void SetEnvironment(IReadOnlyList<KeyValuePair<string, string>> environment, AgentOptions options)
    {
        // The one before is no command's any more: each took its own copy.
        NativeArena? before = _environment;
        _environment = new NativeArena();
        var table = (byte**)_environment.Take<nint>(environment.Count + 1);
        int count = 0;
        foreach ((string name, string value) in environment)
            table[count++] = _environment.Text(name + "=" + value);
        options.Environment = table;
        before?.Dispose();
    }
}
