using StacyVM.Engine.Agents;
using StacyVM.Engine.Linux;

namespace StacyVM.Engine.Providers.MicroVm;

/// <summary>Ends a machine and removes what is left of it, whatever state it is in and whoever started it.</summary>
internal static class MachineRemoval
{
    private const int Attempts = 3;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <summary>1 the process that is known, 2 any other that bears the sandbox's mark, 3 the groups, 4 files and user.</summary>
    public static async Task RemoveAsync(MachineSetup setup, MachineFolder folder, ProcessIdentity known)
    {
        // 1.
        if (known.IsAlive)
            await ProcessExits.KillAsync(known, Patience).ConfigureAwait(false);

        // 2. A server that was killed between the start and the note of it.
        if (folder.Exists && (!setup.Cgroups.Any || known.Pid == 0))
        {
            foreach (int pid in ProcessScan.Find(folder.Id, folder.ProcessMark))
            {
                if (ProcessIdentity.Of(pid) is { } found)
                    await ProcessExits.KillAsync(found, Patience).ConfigureAwait(false);
            }
        }

        // 3. One that joins at the last moment keeps a group from being removed: once more.
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                await setup.Cgroups.KillAsync(folder.Id, Patience).ConfigureAwait(false);
                await setup.Cgroups.RemoveAsync(folder.Id).ConfigureAwait(false);
                break;
            }
            catch (IOException) when (attempt < Attempts)
            {
            }
        }

        // 4.
        folder.Remove();
        setup.Users?.Release(folder.Id);
    }
}
