using StacyVM.Engine.Agents;
using StacyVM.Engine.Configuration;
using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>What is found out and written once, before the first sandbox, and is the same for all of them.</summary>
/// <param name="Program">The installed runsc.</param>
/// <param name="Platform">How it meets system calls here.</param>
/// <param name="Bundle">What it is told.</param>
/// <param name="Cgroups">Where resources are bounded.</param>
internal sealed record GvisorSetup(RunscProgram Program, string Platform, GvisorBundle Bundle, CgroupTree Cgroups)
{
    /// <summary>Directory of this level in the data directory, and the kind of its control groups.</summary>
    public const string Name = "gvisor";

    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/>, with what is missing.</exception>
    public static async Task<GvisorSetup> PrepareAsync(AgentHost host, GvisorOptions options, CancellationToken cancellation)
    {
        // 1. The program. Its kernel and its file server change users, mount and enter namespaces, which nobody but root can have them do.
        RunscProgram program = await RunscProgram.FindAsync(options.RunscPath, cancellation).ConfigureAwait(false);
        if (Libc.GetEffectiveUserId() != 0)
            throw new StacyVMException(ProblemKind.ProviderUnavailable,
                "gVisor sandboxes need a server that runs as root: runsc without root has no file server in a namespace of its own. Run the server as root, or use the bubblewrap level, which works without");

        // 2. Control groups, and what all sandboxes share.
        CgroupTree cgroups = CgroupTree.Open(host.InstallationId, Name, CgroupMounts.Read(), privileged: true);
        string directory = Path.Combine(host.DataDirectory, Name);
        AgentHost.MakePassage(directory);
        string etc = HostImage.MakeEtc(directory, ownUsers: false);
        var bundle = new GvisorBundle(host.AgentPath, MakeHostRoot(directory), etc);

        // 3. The best platform that really runs a program here.
        string platform = await GvisorPlatform.ChooseAsync(program, options.Platform, host, cancellation).ConfigureAwait(false);
        return new GvisorSetup(program, platform, bundle, cgroups);
    }

    /// <summary>A directory that holds nothing but points to mount on and the links that this machine has in its root.</summary>
    private static string MakeHostRoot(string directory)
    {
        string root = Path.Combine(directory, "root");
        foreach (string name in (string[])["", "dev", "proc", "sys", "tmp", "workspace", "etc", "var", "root", "run", "run/stacyvm"])
            MakeDirectory(Path.Combine(root, name));
        foreach (HostDirectory one in HostImage.Directories())
        {
            string path = root + one.Path;
            if (one.LinkTarget is null)
                MakeDirectory(path);
            else
                Link(path, one.LinkTarget);
        }
        Link(Path.Combine(root, "var", "tmp"), "../tmp");
        Link(Path.Combine(root, "var", "run"), "../run");
        string agent = root + GvisorBundle.AgentProgram;
        if (!File.Exists(agent))
            File.WriteAllBytes(agent, []);
        return root;
    }

    private static void Link(string path, string target)
    {
        if (new FileInfo(path).LinkTarget != target)
            File.CreateSymbolicLink(path, target);
    }

    private static void MakeDirectory(string path)
    {
        if ((Libc.MakeDirectory(path, 0x1ED) != 0 && Libc.Error != Libc.EEXIST) || Libc.ChangeMode(path, 0x1ED) != 0)
            throw new IOException($"cannot make {path}: {Libc.LastError()}", Libc.Error);
    }
}
