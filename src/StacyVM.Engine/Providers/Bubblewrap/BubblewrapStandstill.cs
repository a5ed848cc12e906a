using StacyVM.Engine.Linux;
using StacyVM.Engine.Linux.Cgroups;
using StacyVM.Protocol.Problems;

namespace StacyVM.Engine.Providers.Bubblewrap;

/// <summary>Lets a sandbox stand still: by the freezer, or where there is none by signals.</summary>
internal sealed class BubblewrapStandstill(string id, SandboxFolder folder, CgroupTree cgroups)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    /// <exception cref="StacyVMException"><see cref="ProblemKind.Conflict"/>: something of it does not come to a standstill; all of it runs on.</exception>
    public async Task BeginAsync(CancellationToken cancellation)
    {
        try
        {
            if (cgroups.CanFreeze(id))
                await cgroups.FreezeAsync(id, Patience, cancellation).ConfigureAwait(false);
            else
                await ProcessStop.StopAsync(Processes, Patience, cancellation).ConfigureAwait(false);
        }
        catch (Exception cause) when (cause is TimeoutException or IOException)
        {
            throw new StacyVMException(ProblemKind.Conflict, $"sandbox {id} cannot be made to stand still now ({cause.Message}); try again", cause);
        }
    }

    public void End()
    {
        if (cgroups.CanFreeze(id))
            cgroups.Thaw(id);
        else
            ProcessStop.Continue(Processes());
    }

    private IReadOnlyCollection<int> Processes() => cgroups.Any ? cgroups.Processes(id) : [.. ProcessScan.Find(id, folder.Agent)];
}
