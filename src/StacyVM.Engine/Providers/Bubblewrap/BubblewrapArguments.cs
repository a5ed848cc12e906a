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

    private readonly byte[] _common;
    private readonly bool _sizesTmpfs;

    private BubblewrapArguments(byte[] common, bool sizesTmpfs)
    {
        _common = common;
        _sizesTmpfs = sizesTmpfs;
    }

    /// <param name="program">The installed bwrap.</param>
    /// <param name="etc">Directory that becomes <c>/etc</c>.</param>
    /// <param name="agent">The agent's program.</param>
    /// <param name="wall">Has been tried and works here.</param>
    public static BubblewrapArguments For(BubblewrapProgram program, BubblewrapWall wall, string etc, string agent)
    {
        List<string> common =
        [
            .. wall.Options,
            "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net",
            .. File.Exists("/proc/self/ns/cgroup") ? ["--unshare-cgroup"] : Array.Empty<string>(),
            "--as-pid-1", "--new-session",
            "--seccomp", Text(SeccompDescriptor), "--json-status-fd", Text(StatusDescriptor),
            .. HostImage.Mounts(),
            "--ro-bind", etc, "/etc",
            "--ro-bind", agent, AgentProgram,
            "--proc", "/proc",
            .. Masked.Where(File.Exists).SelectMany(path => new[] { "--ro-bind", "/dev/null", path }),
            .. new[] { "/proc/acpi", "/proc/scsi" }.Where(Directory.Exists).SelectMany(path => new[] { "--tmpfs", path, "--remount-ro", path }),
            "--dev", "/dev",
            "--dir", "/var", "--symlink", "../tmp", "/var/tmp", "--symlink", "../run", "/var/run", "--dir", "/root", "--dir", "/sys",
            "--clearenv",
            "--setenv", "HOME", "/workspace",
            "--setenv", "PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "--setenv", "LANG", "C.UTF-8",
            "--setenv", "TERM", "xterm-256color",
            "--setenv", "USER", "sandbox",
            "--setenv", "LOGNAME", "sandbox",
            "--setenv", "SHELL", HostImage.Shell,
            "--setenv", AgentProtocol.DialVariable, $"unix:{SocketDirectory}/agent.sock",
            "--setenv", AgentProtocol.WorkdirVariable, "/workspace",
            // Not the workspace: where bwrap starts as root it may not enter what is the sandbox's alone.
            "--chdir", "/",
        ];
        return new BubblewrapArguments(Join(common), program.SizesTmpfs);
    }

    /// <summary>All of them for one sandbox, each ended by a zero byte.</summary>
    public byte[] ForSandbox(string id, string token, string workspace, int memoryMb)
    {
        // The machine's memory, not its disk: a quarter is left to processes even when both are full.
        long memory = memoryMb * Mebibyte;
        List<string> own =
        [
            "--hostname", id,
            "--setenv", AgentProtocol.TokenVariable, token,
            "--bind", workspace, "/workspace",
            .. Tmpfs("/tmp", memory / 2),
            .. Tmpfs("/dev/shm", memory / 4),
            "--remount-ro", "/dev",
            // Last: the root itself is a tmpfs without bound in which the mount points above had to be made.
            "--remount-ro", "/",
        ];
        byte[] tail = Join(own);
        byte[] all = new byte[_common.Length + tail.Length];
        _common.CopyTo(all, 0);
        tail.CopyTo(all, _common.Length);
        return all;
    }

    private IEnumerable<string> Tmpfs(string path, long bytes)
    {
        yield return "--perms";
        yield return "1777";
        if (_sizesTmpfs)
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
