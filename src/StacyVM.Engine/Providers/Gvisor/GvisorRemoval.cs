using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.Gvisor;

/// <summary>
/// Ends a sandbox and removes it, whatever state it is in and whoever started it. Its processes are killed rather than asked through runsc: what runsc
/// would tidy up, a control group and a directory of its own, it never had.
/// </summary>
internal sealed class GvisorRemoval(AgentHost host, GvisorSetup setup)
{
    private const int Attempts = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <param name="id">The sandbox.</param>
    /// <param name="known">Its kernel, when that is known.</param>
    public async Task RemoveAsync(string id, ProcessIdentity known)
    {
        var folder = new GvisorFolder(host, id);

        // 1. The sandbox's kernel: with it end all processes that it traces.
        ProcessIdentity? kernel = known.IsAlive ? known : folder.FindProcess();
        if (kernel is { } process)
            await ProcessExits.KillAsync(process, Patience).ConfigureAwait(false);

        // 2. Nothing written down leads to its processes, or there are no groups to hold them: all of /proc is looked through.
        if (!setup.Cgroups.Any || (kernel is null && folder.Exists))
        {
            foreach (int pid in ProcessScan.Naming(folder.Bundle))
            {
                if (ProcessIdentity.Of(pid) is { } found)
                    await ProcessExits.KillAsync(found, Patience).ConfigureAwait(false);
            }
        }

        // 3. What is left in its groups: the file server, and runsc while it starts. One that joins at the last moment, started by a server
        // that is gone, keeps a group from being removed: once more.
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
    }
}
