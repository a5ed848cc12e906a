using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Engine.Linux.Seccomp;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>What is found out and written once, before the first sandbox, and is the same for all of them.</summary>
/// <param name="Program">The installed bwrap.</param>
/// <param name="Wall">How it makes walls here.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="SeccompFile">The compiled filter.</param>
/// <param name="Cgroups">Where resources are bounded.</param>
/// <param name="Users">Host users of sandboxes; null when the server is not root and all run as its own.</param>
internal sealed record BubblewrapSetup(
    BubblewrapProgram Program, BubblewrapWall Wall, BubblewrapArguments Arguments, string SeccompFile, CgroupTree Cgroups, SandboxUsers? Users)
{
    /// <param name="host">Data directory and launcher.</param>
    /// <param name="options">Configured.</param>
    /// <param name="userNamespaces">False: do without them, as on a host that refuses them.</param>
    /// <param name="cancellation">Abandons it.</param>
    public static async Task<BubblewrapSetup> PrepareAsync(AgentHost host, BubblewrapOptions options, bool userNamespaces, CancellationToken cancellation)
    {
        // 1. The program and the filter for this machine.
        BubblewrapProgram program = await BubblewrapProgram.FindAsync(options.BwrapPath, cancellation).ConfigureAwait(false);
        SyscallTable syscalls = SyscallTable.Current
            ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, "no system call filter has been written for this processor; bubblewrap sandboxes run on x86-64");

        // 2. Users and control groups.
        bool privileged = Libc.GetEffectiveUserId() == 0;
        SandboxUsers? users = null;
        if (privileged)
        {
            uint start = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(host.InstallationId)));
            users = SandboxUsers.From(options.UidBase, options.UidCount, [File.ReadAllLines("/proc/self/uid_map"), File.ReadAllLines("/proc/self/gid_map")], start);
        }
        CgroupTree cgroups = CgroupTree.Open(host.InstallationId, "bubblewrap", CgroupMounts.Read(), privileged);

        // 3. The best wall that this kernel and its settings really allow.
        string directory = Path.Combine(host.DataDirectory, "bubblewrap");
        AgentHost.MakePassage(directory);
        BubblewrapWall wall = await BubblewrapWall.ChooseAsync(host, program, users?.First, userNamespaces, cancellation).ConfigureAwait(false);

        // 4. Files that all sandboxes share, readable for their users.
        string etc = HostImage.MakeEtc(directory, ownUsers: !wall.UserNamespace);
        string seccomp = WriteOnce(directory, "seccomp-", SeccompFilter.Build(syscalls));
        return new BubblewrapSetup(program, wall, BubblewrapArguments.For(program, wall, etc, host.AgentPath), seccomp, cgroups, users);
    }

    /// <summary>Written under a name of its content: a server that starts beside another never changes what the other is using.</summary>
    private static string WriteOnce(string directory, string prefix, byte[] content)
    {
        string path = Path.Combine(directory, prefix + Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8)));
        if (File.Exists(path) && new FileInfo(path).Length == content.Length)
            return path;
        string draft = string.Create(CultureInfo.InvariantCulture, $"{path}.{Environment.ProcessId}");
        File.WriteAllBytes(draft, content);
        File.SetUnixFileMode(draft, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.Move(draft, path, overwrite: true);
        return path;
    }
}
