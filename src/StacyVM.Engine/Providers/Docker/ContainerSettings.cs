using System.Globalization;
using Docker.DotNet.Models;
using StacyVM.Engine.Configuration;
using StacyVM.Protocol.Agent;

namespace StacyVM.Engine.Providers.Docker;

/// <summary>Turns a plan into what the daemon is asked for.</summary>
internal sealed class ContainerSettings(DockerOptions options)
{
    public const string Workspace = "/workspace";

    /// <summary>Everything of ours inside a container. Its own directory in the root, because images and options mount over the usual ones.</summary>
    public const string Home = "/.stacyvm";

    public const string AgentProgram = Home + "/agent";

    /// <summary>Where the agent's socket is: our directory bound in, or memory.</summary>
    public const string SocketDirectory = Home + "/run";

    public const string Socket = SocketDirectory + "/agent.sock";

    private const int DefaultPids = 256;

    /// <summary>Plenty for a sandbox, and below the bound that a constrained daemon itself may have and could not raise.</summary>
    private const int OpenFiles = 16_384;

    /// <summary>Above the server's own, so that the host's memory shortage ends sandboxes first.</summary>
    private const int OomScore = 500;

    public CreateContainerParameters For(ContainerPlan plan) => new()
    {
        Name = plan.Id,
        Image = plan.Image.Name,
        Hostname = HasOwnNetwork ? plan.Id : "",
        // The agent is the first process whatever the image would start; the image's own command is cleared with it.
        Entrypoint = [AgentProgram],
        Cmd = [],
        User = plan.User.ToString(),
        // Never the image's: CVE-2024-21626 starts from a working directory that an image chooses.
        WorkingDir = Workspace,
        Env = Environment(plan),
        Healthcheck = new HealthcheckConfig { Test = ["NONE"] },
        // Nothing in it is worth a grace period, neither at `docker stop` nor when the daemon goes down.
        StopSignal = "SIGKILL",
        Labels = plan.Labels,
        HostConfig = Host(plan),
    };

    private bool HasOwnNetwork => NetworkMode is not "host";

    private string NetworkMode => options.NetworkMode.Length == 0 ? "none" : options.NetworkMode;

    private static List<string> Environment(ContainerPlan plan)
    {
        List<string> variables =
        [
            $"{AgentProtocol.DialVariable}=unix:{Socket}",
            $"{AgentProtocol.TokenVariable}={plan.Token}",
            $"{AgentProtocol.WorkdirVariable}={Workspace}",
            // An image's environment is the container's: what is meant for the agent alone is never left to it.
            $"{AgentProtocol.UserVariable}=",
        ];
        // The user is rarely in the image's passwd file, and `/` is not writable.
        if (!plan.Image.NamesHome)
            variables.Add($"HOME={(plan.User.Uid == 0 ? "/root" : Workspace)}");
        return variables;
    }

    private HostConfig Host(ContainerPlan plan)
    {
        long memory = (long)plan.Spec.MemoryMb << 20;
        return new HostConfig
        {
            Runtime = options.Runtime.Length == 0 ? null : options.Runtime,
            NetworkMode = NetworkMode,
            ReadonlyRootfs = options.ReadOnlyRootfs,
            Memory = memory,
            MemorySwap = memory,
            NanoCPUs = plan.Spec.Vcpus * 1_000_000_000L,
            PidsLimit = Pids(plan.Spec),
            Ulimits =
            [
                new Ulimit { Name = "core", Soft = 0, Hard = 0 },
                new Ulimit { Name = "nofile", Soft = OpenFiles, Hard = OpenFiles },
            ],
            CapDrop = [.. options.DroppedCaps],
            CapAdd = [.. options.AddedCaps],
            SecurityOpt = plan.Seccomp is null ? ["no-new-privileges"] : ["no-new-privileges", "seccomp=" + plan.Seccomp],
            IpcMode = "private",
            CgroupnsMode = "private",
            // The agent reaps orphans itself; a second init would only stand between it and its children.
            Init = false,
            AutoRemove = false,
            OomScoreAdj = OomScore,
            LogConfig = new LogConfig
            {
                Type = "json-file",
                Config = new Dictionary<string, string> { ["max-size"] = "1m", ["max-file"] = "1" },
            },
            Mounts = Mounts(plan),
            Tmpfs = Tmpfs(plan),
        };
    }

    /// <summary>The configured bound, or a tighter one that is asked for; a spec that says nothing has the default.</summary>
    private int Pids(SandboxSpec spec)
    {
        int configured = options.PidsLimit > 0 ? options.PidsLimit : DefaultPids;
        return spec.PidsLimit == DefaultPids ? configured : Math.Min(spec.PidsLimit, configured);
    }

    private static List<Mount> Mounts(ContainerPlan plan)
    {
        List<Mount> mounts = [];
        if (plan.Route == AgentRoute.Socket)
        {
            mounts.Add(new Mount { Type = "bind", Source = plan.AgentPath, Target = AgentProgram, ReadOnly = true });
            mounts.Add(new Mount { Type = "bind", Source = Path.Combine(plan.SandboxDirectory, "agent"), Target = SocketDirectory, ReadOnly = true });
        }
        else
        {
            // A volume without a name goes with its container, and takes uploads also where the root is read-only.
            mounts.Add(new Mount { Type = "volume", Target = Home, VolumeOptions = new VolumeOptions { NoCopy = true } });
        }
        if (plan.Workspace == WorkspaceKind.Bound)
            mounts.Add(new Mount { Type = "bind", Source = WorkspaceDirectory(plan.SandboxDirectory), Target = Workspace });
        return mounts;
    }

    /// <summary>The directory behind <see cref="WorkspaceKind.Bound"/>.</summary>
    public static string WorkspaceDirectory(string sandboxDirectory) => Path.Combine(sandboxDirectory, "workspace");

    private Dictionary<string, string> Tmpfs(ContainerPlan plan)
    {
        string owner = string.Create(CultureInfo.InvariantCulture, $"uid={plan.User.Uid},gid={plan.User.Gid}");
        var mounts = new Dictionary<string, string>();
        if (options.ReadOnlyRootfs)
            mounts["/tmp"] = "rw,exec,nosuid,nodev,mode=1777";
        if (plan.Workspace == WorkspaceKind.Memory)
            mounts[Workspace] = string.Create(CultureInfo.InvariantCulture, $"rw,exec,nosuid,nodev,mode=0755,size={plan.Spec.DiskMb}m,{owner}");
        if (plan.Route == AgentRoute.Exec)
            mounts[SocketDirectory] = $"rw,noexec,nosuid,nodev,mode=0700,size=64k,{owner}";
        foreach ((string path, string settings) in options.Tmpfs)
            mounts[path] = settings;
        return mounts;
    }
}
