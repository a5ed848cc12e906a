using System.Globalization;
using System.Text;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// The arguments of bwrap. What is the same for every sandbox is put together once; the whole goes through a descriptor, so that the token
/// in it is in no process list.
/// </summary>
internal sealed class BubblewrapArguments
{
    /// <summary>Descriptors that bwrap reads and closes before the agent starts.</summary>
    public const int ArgumentsDescriptor = 3, SeccompDescriptor = 4, StatusDescriptor = 5;

    /// <summary>Where the sandbox has its socket and its agent. Outside all that commands may write to.</summary>
    public const string SocketDirectory = "/run/stacyvm", AgentProgram = "/run/stacyvm-agent";

    private const long Mebibyte = 1024 * 1024;
    private const long LeastTmpfs = 16 * Mebibyte;

    /// <summary>Files below /proc that tell about the machine and not about the sandbox. Those that a kernel does not have are left alone.</summary>
    private static readonly string[] Masked = ["/proc/kcore", "/proc/keys", "/proc/key-users", "/proc/timer_list", "/proc/sched_debug", "/proc/interrupts", "/proc/latency_stats"];

    private readonly BubblewrapProgram _program;
    private readonly BubblewrapWall _wall;
    private readonly string _agent;
    private readonly byte[] _host;

    private BubblewrapArguments(BubblewrapProgram program, BubblewrapWall wall, string agent, string etc)
    {
        (_program, _wall, _agent) = (program, wall, agent);
        _host = Join(
        [
            .. Beginning(HostImage.SandboxUser, HostImage.SandboxUser),
            .. HostImage.Directories().SelectMany(directory => new[] { directory.LinkTarget is null ? "--ro-bind" : "--symlink", directory.LinkTarget ?? directory.Path, directory.Path }),
            "--ro-bind", etc, "/etc",
            .. Middle(),
            "--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--symlink", "../run", "/var/run", "--dir", "/root", "--dir", "/sys",
            .. Environment([
                new("HOME", "/workspace"), new("USER", "sandbox"), new("LOGNAME", "sandbox"), new("SHELL", HostImage.Shell),
                new(AgentProtocol.WorkdirVariable, "/workspace"),
            ]),
        ]);
    }

    /// <param name="program">The installed bwrap.</param>
    /// <param name="etc">Directory that becomes <c>/etc</c> of the image <c>host</c>.</param>
    /// <param name="agent">The agent's program.</param>
    /// <param name="wall">Has been tried and works here.</param>
    public static BubblewrapArguments For(BubblewrapProgram program, BubblewrapWall wall, string etc, string agent) => new(program, wall, agent, etc);

    /// <summary>All of them for one sandbox of this machine's own programs, each ended by a zero byte.</summary>
    public byte[] ForSandbox(string id, string token, string workspace, int memoryMb) =>
        // Last: the root itself is a tmpfs without bound in which the mount points had to be made.
        [.. _host, .. Join([.. Own(id, token, workspace, memoryMb), "--remount-ro", "/"])];

    /// <summary>The same for one whose root is an image: writable, and its own.</summary>
    public byte[] ForSandbox(string id, string token, string workspace, int memoryMb, ImageRoot root) => Join(
    [
        .. Beginning(root.User.Id, root.User.Group),
        .. Middle(),
        "--tmpfs", "/sys", "--remount-ro", "/sys",
        .. Environment([.. root.Surroundings.Environment, new(AgentProtocol.WorkdirVariable, root.Surroundings.WorkingDirectory)]),
        .. Own(id, token, workspace, memoryMb),
    ]);

    private IEnumerable<string> Beginning(uint user, uint group) =>
    [
        .. _wall.Options(user, group),
        "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
        .. File.Exists("/proc/self/ns/cgroup") ? ["--unshare-cgroup"] : Array.Empty<string>(),
        "--as-pid-1", "--new-session",
        "--seccomp", Text(SeccompDescriptor), "--json-status-fd", Text(StatusDescriptor),
    ];

    private IEnumerable<string> Middle() =>
    [
        "--ro-bind", _agent, AgentProgram,
        "--proc", "/proc",
        .. Masked.Where(File.Exists).SelectMany(path => new[] { "--ro-bind", "/dev/null", path }),
        .. new[] { "/proc/acpi", "/proc/scsi" }.Where(Directory.Exists).SelectMany(path => new[] { "--tmpfs", path, "--remount-ro", path }),
        "--dev", "/dev",
    ];

    /// <summary>What commands inherit, and what the agent is told; a later value of a name wins.</summary>
    private static IEnumerable<string> Environment(IEnumerable<KeyValuePair<string, string>> own)
    {
        IEnumerable<KeyValuePair<string, string>> all =
        [
            new("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), new("LANG", "C.UTF-8"), new("TERM", "xterm-256color"),
            .. own,
            new(AgentProtocol.DialVariable, $"unix:{SocketDirectory}/agent.sock"),
        ];
        // Not the workspace: where bwrap starts as root it may not enter what is the sandbox's alone.
        return ["--clearenv", .. all.SelectMany(variable => new[] { "--setenv", variable.Key, variable.Value }), "--chdir", "/"];
    }

    private IEnumerable<string> Own(string id, string token, string workspace, int memoryMb)
    {
        // The machine's memory, not its disk: a quarter is left to processes even when both are full.
        long memory = memoryMb * Mebibyte;
        return
        [
            "--hostname", id,
            "--setenv", AgentProtocol.TokenVariable, token,
            "--bind", workspace, "/workspace",
            .. Tmpfs("/tmp", memory / 2),
            .. Tmpfs("/dev/shm", memory / 4),
            "--remount-ro", "/dev",
        ];
    }

    private IEnumerable<string> Tmpfs(string path, long bytes)
    {
        yield return "--perms";
        yield return "1777";
        if (_program.SizesTmpfs)
        {
            yield return "--size";
            yield return Text(Math.Max(bytes, LeastTmpfs));
        }
        yield return "--tmpfs";
        yield return path;
    }

    private static byte[] Join(IEnumerable<string> arguments) => Encoding.UTF8.GetBytes(string.Concat(arguments.Select(argument => argument + '\0')));

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
