using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>Ends a sandbox and removes it, whatever state it is in and whoever started it.</summary>
internal sealed class BubblewrapRemoval(AgentHost host, BubblewrapSetup setup)
{
    private const int Attempts = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="id">The sandbox.</param>
    /// <param name="known">Its first process, when that is known.</param>
    public async Task RemoveAsync(string id, ProcessIdentity known)
    {
        var folder = new SandboxFolder(host, id);

        // 1. The first process of its PID namespace: with its end the kernel has ended all the others in there.
        ProcessIdentity? first = known.IsAlive ? known : folder.FindProcess();
        if (first is { IsAlive: true } standing)
        {
            // One that stands still runs no more on its way to its end: it is killed before it is let go.
            using var open = Libc.OpenProcess(standing.Pid);
            if (standing.IsAlive)
                _ = Libc.SignalProcess(open, Libc.SIGKILL);
            setup.Cgroups.Thaw(id);
        }
        if (first is { } process)
            await ProcessExits.KillAsync(process, Patience).ConfigureAwait(false);

        // 2. Nothing written down leads to its processes, or there are no groups to hold them: all of /proc is looked through.
        if (!setup.Cgroups.Any || (first is null && folder.Exists))
        {
            foreach (int pid in ProcessScan.Find(id, folder.Agent))
            {
                if (ProcessIdentity.Of(pid) is { } found)
                    await ProcessExits.KillAsync(found, Patience).ConfigureAwait(false);
            }
        }

        // 3. What is left in its groups: bwrap itself, or one that had not made the namespace yet. One that joins at the last moment, started
        // by a server that is gone, keeps a group from being removed: once more.
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await setup.Cgroups.KillAsync(id, Patience).ConfigureAwait(false);
                await setup.Cgroups.RemoveAsync(id).ConfigureAwait(false);
                break;
            }
            catch (IOException) when (attempt < Attempts)
            {
            }
        }

        // 4. The rest is dead matter.
        folder.Remove();
        setup.Users?.Release(id);
    }
}
