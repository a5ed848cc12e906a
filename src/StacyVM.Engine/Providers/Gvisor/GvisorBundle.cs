using System.Globalization;
using System.Text.Json;
using StacyVM.Engine.Images;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>What runsc is told of a sandbox. The agent's token is in it: it lies where only root may look.</summary>
/// <param name="agent">The agent's program on this machine.</param>
/// <param name="hostRoot">Root of the image <c>host</c>: points to mount on.</param>
/// <param name="etc">Its <c>/etc</c>.</param>
internal sealed class GvisorBundle(string agent, string hostRoot, string etc)
{
    /// <summary>Where a sandbox has its socket and its agent. Nothing that commands write to can cover them.</summary>
    public const string SocketDirectory = "/run/stacyvm", AgentProgram = "/run/stacyvm-agent";

    private const long Mebibyte = 1024 * 1024;
    private const long LeastTmpfs = 16 * Mebibyte;
    private const long CpuPeriod = 100_000;

    /// <summary>One of this machine's own programs, read-only.</summary>
    public byte[] ForHost(string id, string token, GvisorFolder folder, SandboxSpec spec) => Write(
        id, token, folder, spec, new OciUser(HostImage.SandboxUser, HostImage.SandboxUser), new OciRoot(hostRoot, true),
        [
            new("HOME", ImageSurroundings.Workspace), new("USER", "sandbox"), new("LOGNAME", "sandbox"), new("SHELL", HostImage.Shell),
            new(AgentProtocol.WorkdirVariable, ImageSurroundings.Workspace),
        ],
        [.. HostImage.Directories().Where(directory => directory.LinkTarget is null).Select(directory => Bind(directory.Path, directory.Path, "ro")), Bind(etc, "/etc", "ro")]);

    /// <summary>One whose root is an image: writable, and its own.</summary>
    public byte[] ForImage(string id, string token, GvisorFolder folder, SandboxSpec spec, ImageRoot root) => Write(
        id, token, folder, spec, new OciUser(root.User.Id, root.User.Group), new OciRoot(root.Mounted, false),
        [.. root.Surroundings.Environment, new(AgentProtocol.WorkdirVariable, root.Surroundings.WorkingDirectory)],
        [new OciMount("/run", "tmpfs", "tmpfs", ["mode=0755", "size=" + Text(LeastTmpfs)])]);

    private byte[] Write(
        string id, string token, GvisorFolder folder, SandboxSpec spec, OciUser user, OciRoot root, IEnumerable<KeyValuePair<string, string>> variables, IEnumerable<OciMount> first)
    {
        long memory = spec.MemoryMb * Mebibyte;
        var document = new OciSpec
        {
            Hostname = id,
            Root = root,
            Process = new OciProcess
            {
                User = user,
                Args = [AgentProgram],
                Env = Environment(token, variables),
                Rlimits = Limits(spec),
            },
            Mounts =
            [
                .. first,
                Bind(folder.Agent, SocketDirectory, "ro"),
                Bind(agent, AgentProgram, "ro"),
                new OciMount("/proc", "proc", "proc", []),
                new OciMount("/dev", "dev", "dev", []),
                new OciMount("/sys", "sysfs", "sysfs", ["ro"]),
                // The machine's memory, not its disk: a quarter is left to processes even when both are full.
                Tmpfs("/tmp", memory / 2),
                Tmpfs("/dev/shm", memory / 4),
                Bind(folder.Workspace, ImageSurroundings.Workspace, "rw"),
            ],
            Linux = new OciLinux(
                [new("pid"), new("network"), new("ipc"), new("uts"), new("mount")],
                new OciResources(new OciMemory(memory), new OciCpu(spec.Vcpus * CpuPeriod, (ulong)CpuPeriod))),
        };
        return JsonSerializer.SerializeToUtf8Bytes(document, BundleJson.Default.OciSpec);
    }

    /// <summary>What commands inherit, and what the agent is told; a later value of a name wins.</summary>
    private static List<string> Environment(string token, IEnumerable<KeyValuePair<string, string>> own)
    {
        var all = new Dictionary<string, string> { ["PATH"] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", ["LANG"] = "C.UTF-8", ["TERM"] = "xterm-256color" };
        foreach ((string name, string value) in own)
            all[name] = value;
        all[AgentProtocol.DialVariable] = $"unix:{SocketDirectory}/agent.sock";
        all[AgentProtocol.TokenVariable] = token;
        return [.. all.Select(variable => $"{variable.Key}={variable.Value}")];
    }

    /// <summary>gVisor itself keeps these: this machine's kernel sees none of the sandbox's processes as they are.</summary>
    private static List<OciLimit> Limits(SandboxSpec spec)
    {
        List<OciLimit> limits = [Limit("RLIMIT_NPROC", spec.PidsLimit), Limit("RLIMIT_CORE", 0), Limit("RLIMIT_NOFILE", 16_384), Limit("RLIMIT_MEMLOCK", 8 * Mebibyte)];
        if (spec.DiskMb > 0)
            limits.Add(Limit("RLIMIT_FSIZE", spec.DiskMb * Mebibyte));
        return limits;
    }

    private static OciLimit Limit(string name, long value) => new(name, (ulong)value, (ulong)value);

    private static OciMount Bind(string source, string destination, string mode) => new(destination, "bind", source, ["rbind", mode]);

    private static OciMount Tmpfs(string path, long bytes) => new(path, "tmpfs", "tmpfs", ["mode=1777", "size=" + Text(Math.Max(bytes, LeastTmpfs))]);

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
