using System.Globalization;
using System.Security.Cryptography;
using StacyVM.Engine.Agents;
using StacyVM.Protocol.Agent;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>
/// How bwrap makes a wall on this machine. Best: started as the sandbox's own, ordinary user, in a user namespace that can have no other
/// inside. Where the host refuses user namespaces to ordinary users and the server is root: bwrap starts as root without one, and drops to
/// the sandbox's own user before the agent starts. Nothing of a guest ever runs as root of the host.
/// </summary>
/// <param name="UserNamespace">There is one, and the sandbox sees itself as user 1000.</param>
/// <param name="NestedDisabled">No user namespace can be made in it, apart from the system call filter forbidding it.</param>
internal sealed record BubblewrapWall(bool UserNamespace, bool NestedDisabled)
{
    /// <summary>Part of util-linux; it runs inside the wall, behind the filter.</summary>
    private const string Dropper = "/usr/bin/setpriv";

    private static readonly TimeSpan TrialBound = TimeSpan.FromSeconds(10);

    public string Sentence => UserNamespace
        ? NestedDisabled ? "no nested user namespaces" : "nested user namespaces are only refused by the system call filter"
        : "no user namespace, because this host refuses them to ordinary users: bwrap starts as root and drops to the sandbox's user before the agent starts";

    /// <summary>Options of bwrap.</summary>
    /// <param name="user">Whom the sandbox sees itself as, where it has a user namespace.</param>
    /// <param name="group">And its group.</param>
    public IReadOnlyList<string> Options(uint user, uint group) =>
    [
        .. UserNamespace
            ? ["--unshare-user", "--uid", Number(user), "--gid", Number(group), .. NestedDisabled ? ["--disable-userns"] : Array.Empty<string>()]
            : Array.Empty<string>(),
        "--cap-drop", "ALL",
        .. UserNamespace ? [] : new[] { "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID" },
    ];

    /// <summary>Whom the launcher starts bwrap as.</summary>
    /// <param name="user">The sandbox's own user; null when that is the server's.</param>
    public uint LaunchAs(uint? user) => UserNamespace && user is { } own ? own : StartProcessRequest.Inherit;

    /// <summary>What bwrap starts: the agent, through the program that drops root where bwrap has it.</summary>
    public IReadOnlyList<string> Entry(uint user) => [.. Drop(user), BubblewrapArguments.AgentProgram];

    /// <summary>Tries the walls by making them, from the best on.</summary>
    /// <param name="host">Has the launcher.</param>
    /// <param name="program">The installed bwrap.</param>
    /// <param name="user">A user of sandboxes; null when the server is not root.</param>
    /// <param name="userNamespaces">False: only those without.</param>
    /// <param name="cancellation">Abandons it.</param>
    /// <exception cref="StacyVMException"><see cref="ProblemKind.ProviderUnavailable"/> with what bwrap says.</exception>
    public static async Task<BubblewrapWall> ChooseAsync(AgentHost host, BubblewrapProgram program, uint? user, bool userNamespaces, CancellationToken cancellation)
    {
        var walls = new List<BubblewrapWall>();
        if (userNamespaces && program.DisablesUserNamespaces)
            walls.Add(new BubblewrapWall(UserNamespace: true, NestedDisabled: true));
        if (userNamespaces)
            walls.Add(new BubblewrapWall(UserNamespace: true, NestedDisabled: false));
        if (user is not null && File.Exists(Dropper))
            walls.Add(new BubblewrapWall(UserNamespace: false, NestedDisabled: false));
        string? failure = null;
        foreach (BubblewrapWall wall in walls)
        {
            string? said = await wall.TryAsync(host, program, user, cancellation).ConfigureAwait(false);
            if (said is null)
                return wall;
            failure ??= said;
        }
        throw new StacyVMException(ProblemKind.ProviderUnavailable, $"bwrap makes no sandbox on this machine: {failure ?? "no way to try is left"}");
    }

    /// <returns>Null when it worked, or what bwrap printed.</returns>
    private async Task<string?> TryAsync(AgentHost host, BubblewrapProgram program, uint? user, CancellationToken cancellation)
    {
        string console = Path.Combine(host.DataDirectory, "bubblewrap", "trial-" + RandomNumberGenerator.GetHexString(8, lowercase: true));
        try
        {
            HostLauncher launcher = await host.LauncherAsync(cancellation).ConfigureAwait(false);
            LaunchedProgram trial = await launcher.LaunchAsync(
                new StartProcessRequest
                {
                    Arguments = [program.Path, .. Options(HostImage.SandboxUser, HostImage.SandboxUser), "--unshare-pid", "--unshare-net", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", .. Drop(user ?? 0), "/usr/bin/env"],
                    WorkingDirectory = "/",
                    UserId = LaunchAs(user),
                    GroupId = LaunchAs(user),
                    Files = [new(0, "/dev/null", false), new(1, "/dev/null", true), new(2, console, true)],
                },
                cancellation).ConfigureAwait(false);
            ProcessExit exit = await trial.Exited.WaitAsync(TrialBound, cancellation).ConfigureAwait(false);
            if (exit.ExitCode == 0)
                return null;
            string said = (await File.ReadAllTextAsync(console, cancellation).ConfigureAwait(false)).Trim();
            return said.Length > 0 ? said : $"it ended with code {Number((uint)exit.ExitCode)}";
        }
        finally
        {
            File.Delete(console);
        }
    }

    private IEnumerable<string> Drop(uint user) => UserNamespace
        ? []
        : [Dropper, "--reuid", Number(user), "--regid", Number(user), "--clear-groups", "--no-new-privs", "--inh-caps=-all"];

    private static string Number(uint value) => value.ToString(CultureInfo.InvariantCulture);
}
