using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Proot;

/// <summary>What is found out and written once, before the first sandbox, and is the same for all of them.</summary>
/// <param name="Program">Path of proot.</param>
/// <param name="Etc">Becomes <c>/etc</c> of the image <c>host</c>.</param>
/// <param name="Cgroups">Where resources are bounded.</param>
/// <param name="Users">Host users of sandboxes; null when the server is not root and all run as its own.</param>
internal sealed record ProotSetup(string Program, string Etc, CgroupTree Cgroups, SandboxUsers? Users)
{
    private const string HowToGet = "install it with 'apt-get install proot' or set providers.proot.proot_binary";

    public static ProotSetup Prepare(AgentHost host, ProotOptions options)
    {
        string program = Locate(options.ProotBinary) ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, $"the program {options.ProotBinary} is not there; {HowToGet}");
        bool privileged = Libc.GetEffectiveUserId() == 0;
        SandboxUsers? users = null;
        if (privileged)
        {
            uint start = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes("proot " + host.InstallationId)));
            users = SandboxUsers.From(options.UidBase, options.UidCount, [File.ReadAllLines("/proc/self/uid_map"), File.ReadAllLines("/proc/self/gid_map")], start);
        }
        CgroupTree cgroups = CgroupTree.Open(host.InstallationId, "proot", CgroupMounts.Read(), privileged);
        string directory = Path.Combine(host.DataDirectory, "proot");
        AgentHost.MakePassage(directory);
        return new ProotSetup(program, HostImage.MakeEtc(directory, ownUsers: true), cgroups, users);
    }

    public IReadOnlyDictionary<string, string> Enforced()
    {
        return new Dictionary<string, string>
        {
            ["boundary"] = "none: proot rewrites the paths of system calls, and a program that wants to gets around that; run only what you would run on this machine",
            ["namespaces"] = "none: processes and the network of this machine are seen and reached",
            ["user"] = Users is null
                ? $"sandboxes run as the server's own user ({Libc.GetEffectiveUserId()}) and can do what that user can; a server started as root gives each its own"
                : $"each sandbox is a host user of its own ({Users.First} to {Users.Last}), never root",
            ["root"] = "the image host is bound from this machine; any other image is copied whole for each sandbox, because nothing can be mounted",
            ["disk"] = "one file is bounded by the disk size; all of them together are not",
            ["memory"] = Bound("memory", "control group, without swap", "not as a whole: each process is bounded by RLIMIT_DATA"),
            ["cpu"] = Bound("cpu", "control group: a quota of vcpus processors", "not"),
            ["pids"] = Bound("pids", "control group", Users is null ? "not" : "by RLIMIT_NPROC of the sandbox's own user"),
        };

        string Bound(string controller, string yes, string otherwise) => Cgroups.Enforces(controller)
            ? yes
            : Cgroups.Unenforced.TryGetValue(controller, out string? why) ? $"{otherwise} ({why})" : otherwise;
    }

    private static string? Locate(string name)
    {
        if (name.Contains('/'))
            return File.Exists(name) ? Path.GetFullPath(name) : null;
        string search = Environment.GetEnvironmentVariable("PATH") ?? "/usr/local/bin:/usr/bin:/bin";
        return search.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(directory => Path.Combine(directory, name)).FirstOrDefault(File.Exists);
    }
}
