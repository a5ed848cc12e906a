using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Engine.Linux.Seccomp;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>What is found out and written once, before the first sandbox, and is the same for all of them.</summary>
/// <param name="Program">The installed bwrap.</param>
/// <param name="Arguments">Its arguments.</param>
/// <param name="SeccompFile">The compiled filter.</param>
/// <param name="Cgroups">Where resources are bounded.</param>
/// <param name="Users">Host users of sandboxes; null when the server is not root and all run as its own.</param>
/// <param name="UserNamespacesDisabled">A sandbox can make no user namespace, apart from the filter forbidding it.</param>
internal sealed record BubblewrapSetup(
    BubblewrapProgram Program, BubblewrapArguments Arguments, string SeccompFile, CgroupTree Cgroups, SandboxUsers? Users, bool UserNamespacesDisabled)
{
    private static readonly TimeSpan TrialBound = TimeSpan.FromSeconds(10);

    public static async Task<BubblewrapSetup> PrepareAsync(AgentHost host, BubblewrapOptions options, CancellationToken cancellation)
    {
        // 1. The program and the filter for this machine.
        BubblewrapProgram program = await BubblewrapProgram.FindAsync(options.BwrapPath, cancellation).ConfigureAwait(false);
        SyscallTable syscalls = SyscallTable.Current
            ?? throw new StacyVMException(ProblemKind.ProviderUnavailable, "no system call filter has been written for this processor; bubblewrap sandboxes run on x86-64");

        // 2. Files that all sandboxes share, readable for their users.
        string directory = Path.Combine(host.DataDirectory, "bubblewrap");
        AgentHost.MakePassage(directory);
        string etc = HostImage.MakeEtc(directory);
        string seccomp = WriteOnce(directory, "seccomp-", SeccompFilter.Build(syscalls));

        // 3. Users and control groups.
        bool privileged = Libc.GetEffectiveUserId() == 0;
        SandboxUsers? users = null;
        if (privileged)
        {
            uint start = BitConverter.ToUInt32(SHA256.HashData(Encoding.UTF8.GetBytes(host.InstallationId)));
            users = SandboxUsers.From(options.UidBase, options.UidCount, [File.ReadAllLines("/proc/self/uid_map"), File.ReadAllLines("/proc/self/gid_map")], start);
        }
        CgroupTree cgroups = CgroupTree.Open(host.InstallationId, "bubblewrap", CgroupMounts.Read(), privileged);

        // 4. Whether nested user namespaces can be switched off depends on the kernel's settings: tried, not guessed.
        bool disabled = program.DisablesUserNamespaces
            && await TryDisableAsync(host, program, users?.First, cancellation).ConfigureAwait(false);
        return new BubblewrapSetup(program, BubblewrapArguments.For(program, etc, host.AgentPath, disabled), seccomp, cgroups, users, disabled);
    }

    private static async Task<bool> TryDisableAsync(AgentHost host, BubblewrapProgram program, uint? user, CancellationToken cancellation)
    {
        HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
        LaunchedProgram trial = await launcher.LaunchAsync(
            new StartProcessRequest
            {
                Arguments = [program.Path, "--unshare-user", "--disable-userns", "--ro-bind", "/", "/", "--proc", "/proc", "/usr/bin/true"],
                WorkingDirectory = "/",
                UserId = user ?? StartProcessRequest.Inherit,
                GroupId = user ?? StartProcessRequest.Inherit,
                Files = [new(0, "/dev/null", false), new(1, "/dev/null", true), new(2, "/dev/null", true)],
            },
            cancellation).ConfigureAwait(false);
        ProcessExit exit = await trial.Exited.WaitAsync(TrialBound, cancellation).ConfigureAwait(false);
        return exit.ExitCode == 0;
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
